// swift-tools-version: 6.1
import PackageDescription

// The control plane (Store, Broker, Daemon) never imports a tensor, the engine (Tensors up to Engine) never imports a
// database or a broker; they share `Jobs`. The laboratory (Lab) stands on the engine. An arrow only ever points down.

let package = Package(
    name: "atelier",
    products: [
        .executable(name: "atelierd", targets: ["atelierd"]),
        .executable(name: "atelierctl", targets: ["atelierctl"]),
        .executable(name: "atelier-engine", targets: ["atelier-engine"]),
        .executable(name: "atelier-lab", targets: ["atelier-lab"]),
        .executable(name: "atelier-web", targets: ["atelier-web"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // atelier-web alone: HTTP, and HTML from templates.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    ],
    targets: [
        // Floor 0: C.
        .systemLibrary(name: "CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(name: "CPostgreSQL", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg62-turbo-dev"])]),
        .systemLibrary(name: "CWebP", pkgConfig: "libwebpdemux", providers: [.apt(["libwebp-dev"])]),
        .systemLibrary(name: "CLittleCMS", pkgConfig: "lcms2", providers: [.apt(["liblcms2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CKernels"),
        .target(name: "CProcess"),

        // Floor 1: what all stand on.
        .target(name: "Jobs"),
        .target(name: "Hashing", dependencies: ["COpenSSL"]),
        .target(name: "Checkpoints"),
        .target(name: "Compression", dependencies: ["CZlib"]),
        // Which models there are, told without a tensor.
        .target(name: "Catalogue", dependencies: ["Jobs", "Checkpoints", "Hashing"]),
        .target(name: "Threads"),
        .target(name: "Randomness"),
        .target(name: "Tensors", dependencies: ["COpenBLAS", "CKernels"]),

        // The engine.
        .target(name: "Images", dependencies: ["Jobs", "CPNG", "CJPEG", "CWebP", "CLittleCMS", "Compression"]),
        .target(name: "Autograd", dependencies: ["Tensors", "CKernels"]),
        .target(name: "Layers", dependencies: ["Checkpoints", "Tensors", "Autograd", "CKernels", "Randomness"]),
        .target(
            name: "Backbones",
            dependencies: ["Checkpoints", "Tensors", "Autograd", "Layers", "Images", "Randomness", "Compression"]),
        .target(name: "LittleWorld", dependencies: ["Images", "Randomness"]),
        .target(
            name: "Personalization",
            dependencies: [
                "Jobs", "Checkpoints", "Tensors", "Autograd", "Layers", "Images", "Randomness", "Backbones",
            ]),
        .target(
            name: "Evaluation",
            dependencies: [
                "Jobs", "Checkpoints", "Tensors", "Autograd", "Layers", "Images", "Randomness", "Backbones",
                "LittleWorld",
            ]),
        .target(
            name: "Engine",
            dependencies: [
                "Jobs", "Hashing", "Checkpoints", "Catalogue", "Randomness", "Tensors", "Layers", "Images", "Backbones",
                "Personalization", "Evaluation", "LittleWorld",
            ]),
        // What the shipped models and our claims come from.
        .target(
            name: "Lab",
            dependencies: [
                "Engine", "Jobs", "Hashing", "Checkpoints", "Compression", "Catalogue", "Randomness", "Tensors",
                "Autograd", "Layers", "Images", "Backbones", "Personalization", "Evaluation", "LittleWorld",
            ]),

        // The control plane.
        .target(name: "Store", dependencies: ["CPostgreSQL", "Threads", "Jobs", "Hashing"]),
        .target(name: "Broker", dependencies: ["CRabbitMQ", "Hashing"]),
        .target(
            name: "Daemon",
            dependencies: [
                "CProcess", "Jobs", "Store", "Broker", "Hashing", "Catalogue", "Threads",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        .target(
            name: "Web",
            dependencies: [
                "Jobs", "Store", "Broker", "Daemon", "Hashing",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),

        // Executables without logic.
        .executableTarget(
            name: "atelierd",
            dependencies: [
                "Daemon", "Jobs", "Hashing", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "atelierctl",
            dependencies: [
                "Daemon", "Jobs", "Store", "Broker", "Hashing", "Catalogue", "Checkpoints",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "atelier-engine",
            dependencies: ["Engine", "Jobs", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
        .executableTarget(
            name: "atelier-web",
            dependencies: [
                "Web", "Daemon", "Jobs", "Hashing",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "atelier-lab",
            dependencies: [
                "Lab", "Engine", "Jobs", "Hashing",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // Real servers for tests, and the tests of the broker's façade.
        .target(name: "ServerTesting", path: "Tests/ServerTesting"),
        .testTarget(name: "BrokerTests", dependencies: ["Broker", "ServerTesting"]),
        // Tests of the daemon; real servers come from ServerTesting.
        .executableTarget(name: "scripted-engine", dependencies: ["Hashing"], path: "Tests/ScriptedEngine"),
        .target(
            name: "DaemonTesting",
            dependencies: ["Daemon", "Store", "Broker", "Jobs", "Catalogue", "ServerTesting"],
            path: "Tests/DaemonTesting"),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "Store", "Broker", "Jobs", "Hashing", "Catalogue",
                .product(name: "Logging", package: "swift-log"),
                "ServerTesting", "DaemonTesting", "SchemaTesting", "FileTesting", "scripted-engine", "atelierd",
                "atelierctl", "atelier-web",
            ]),
        // Models far too small to paint.
        .target(
            name: "ModelTesting",
            dependencies: ["Checkpoints", "Catalogue", "Backbones", "Layers", "LittleWorld", "Autograd", "Tensors"],
            path: "Tests/ModelTesting"),
        .executableTarget(name: "tiny-models", dependencies: ["ModelTesting"], path: "Tests/TinyModels"),
        // The real engine and the shipped model inside the real daemon.
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Jobs", "Hashing", "Store", "Broker", "LittleWorld", "Images", "ServerTesting", "DaemonTesting",
                "ModelTesting", "FileTesting", "tiny-models", "atelierd", "atelierctl", "atelier-engine", "atelier-lab",
            ]),
        .testTarget(
            name: "WebTests",
            dependencies: [
                "Web", "Broker", "Jobs", "Store", "ServerTesting", "DaemonTesting", "SchemaTesting", "scripted-engine",
                "atelierd", "atelier-web",
            ],
            exclude: ["browser.py"]),
        // Tests.
        .testTarget(
            name: "ArchitectureTests",
            dependencies: [
                "atelier-lab", "LittleWorld", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(
            name: "CatalogueTests",
            dependencies: [
                "Catalogue", "Checkpoints", "Jobs", "Hashing", "DaemonTesting", "ServerTesting", "FileTesting",
            ]),
        .testTarget(name: "HashingTests", dependencies: ["Hashing"]),
        // A validator of JSON Schema, for the documents in ops/schemas.
        .target(name: "SchemaTesting", dependencies: ["Jobs"], path: "Tests/SchemaTesting"),
        .testTarget(name: "JobsTests", dependencies: ["Jobs", "SchemaTesting"]),
        .testTarget(
            name: "StoreTests", dependencies: ["Store", "Jobs", "Hashing", "ServerTesting"], exclude: ["Fixtures"]),
        .testTarget(name: "RandomnessTests", dependencies: ["Randomness"]),
        .testTarget(name: "TensorsTests", dependencies: ["ComputeTesting", "Tensors", "CKernels"]),
        // Files made byte by byte, for those who read them.
        .target(name: "FileTesting", dependencies: ["Checkpoints"], path: "Tests/FileTesting"),
        // Threads for tests that compute.
        .target(name: "ComputeTesting", path: "Tests/ComputeTesting"),
        .testTarget(name: "CheckpointsTests", dependencies: ["ComputeTesting", "Checkpoints", "FileTesting"]),
        .testTarget(name: "ImagesTests", dependencies: ["ComputeTesting", "Images", "Randomness", "FileTesting"]),
        .testTarget(
            name: "LayersTests",
            dependencies: [
                "ComputeTesting", "Checkpoints", "Layers", "Autograd", "Randomness", "Tensors", "FileTesting",
            ]),
        .testTarget(name: "LittleWorldTests", dependencies: ["ComputeTesting", "LittleWorld", "Images"]),
        .testTarget(
            name: "BackboneTests",
            dependencies: [
                "ComputeTesting", "Backbones", "Checkpoints", "Tensors", "Autograd", "Layers", "Images", "Randomness",
                "FileTesting", "ModelTesting",
            ]),
        .testTarget(
            name: "EvaluationTests",
            dependencies: [
                "ComputeTesting", "Evaluation", "Backbones", "LittleWorld", "Images", "Layers", "Tensors", "Randomness",
                "ModelTesting",
            ]),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "ComputeTesting", "Engine", "Lab", "Jobs", "Personalization", "Backbones", "LittleWorld", "Tensors",
                "Layers", "Images", "ModelTesting", "Evaluation", "Checkpoints", "FileTesting", "Catalogue",
                "ServerTesting", "Autograd",
            ]),
        .testTarget(
            name: "LabTests",
            dependencies: [
                "ComputeTesting", "Lab", "Engine", "Jobs", "Catalogue", "Personalization", "Backbones", "LittleWorld",
                "Tensors", "Autograd",
                "Layers", "Images", "Randomness", "ModelTesting", "Evaluation", "Checkpoints", "FileTesting",
            ]),
        .testTarget(
            name: "PersonalizationTests",
            dependencies: [
                "ComputeTesting", "Personalization", "Jobs", "Backbones", "LittleWorld", "Tensors", "Autograd",
                "Layers", "Images",
                "Randomness", "ModelTesting", "Checkpoints", "FileTesting",
            ]),
        .testTarget(name: "AutogradTests", dependencies: ["ComputeTesting", "Autograd", "Tensors", "CKernels"]),
    ],
    swiftLanguageModes: [.v6]
)

// The fuzzing program is ops/fuzz's alone: it links only with libFuzzer, and every module under it must be built for
// it.
if Context.environment["ATELIER_FUZZING"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["Jobs", "Images", "Checkpoints", "Layers", "FileTesting"],
            path: "Tests/Fuzzing"))
}
