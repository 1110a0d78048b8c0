extension UNet {
    /// A U-Net's sizes, read and written as diffusers' `config.json`.
    package struct Configuration: Codable, Equatable, Sendable {
        /// z, channels that are read, and those of what is predicted.
        var latentChannels, outputChannels: Int
        /// Channels of the levels, finest first; all but the last halve.
        package var channels: [Int]
        /// Residual blocks of a level on the way down; on the way up there is one more.
        package var blocksPerLevel: Int
        /// Whether each level attends on the way down (finest first), and on the way up (coarsest first).
        package var attendsDown, attendsUp: [Bool]
        /// Heads of each level's attention.
        package var heads: [Int]
        /// Blocks of each transformer of a level, or one number for all of them: on the way down (finest first), and
        /// on the way up (coarsest first).
        var depthsDown, depthsUp: [[Int]]
        /// What the coarsest map goes through between the two ways; nil where that is nothing.
        var middle: Middle? = .attending
        /// Groups of the group norms.
        var groups: Int
        /// ε of the group norms.
        var epsilon: Float
        /// Width D of a text token.
        package var textWidth: Int
        /// Width of the pooled text with the sizes' features; nil where the model reads neither.
        package var additionWidth: Int?
        /// Width of one size's features.
        package var sizeWidth: Int
        /// Whether a transformer reads and writes its map by linear layers instead of 1×1 convolutions.
        package var projectsLinearly: Bool

        /// The blocks of the middle, by diffusers' names; distilled models leave some of them out.
        enum Middle: String, Sendable {
            /// Two residual blocks with a transformer between them.
            case attending = "UNetMidBlock2DCrossAttn"
            /// One residual block.
            case plain = "UNetMidBlock2D"
        }

        /// What is not given is SDXL's; as many channels are predicted as are read, and all transformers of a level
        /// have as many blocks.
        package init(
            latentChannels: Int = 4, outputChannels: Int? = nil, channels: [Int], blocksPerLevel: Int = 2,
            attendsDown: [Bool], attendsUp: [Bool], heads: [Int], transformerDepths: [Int], groups: Int = 32,
            epsilon: Float = 1e-5, textWidth: Int, additionWidth: Int?, sizeWidth: Int = 256,
            projectsLinearly: Bool = true
        ) {
            (self.latentChannels, self.outputChannels) = (latentChannels, outputChannels ?? latentChannels)
            (self.channels, self.blocksPerLevel) = (channels, blocksPerLevel)
            (self.attendsDown, self.attendsUp, self.heads) = (attendsDown, attendsUp, heads)
            let depths = transformerDepths.map { [$0] }
            (depthsDown, depthsUp) = (depths, depths.reversed())
            (self.groups, self.epsilon) = (groups, epsilon)
            (self.textWidth, self.additionWidth, self.sizeWidth) = (textWidth, additionWidth, sizeWidth)
            self.projectsLinearly = projectsLinearly
        }

        /// SDXL base 1.0.
        package static let sdxl = Configuration(
            channels: [320, 640, 1280], attendsDown: [false, true, true], attendsUp: [true, true, false],
            heads: [5, 10, 20], transformerDepths: [1, 2, 10], textWidth: 2048, additionWidth: 2816)

        /// Width of the pooled text, which stands beside the features of six sizes; nil where it is not read.
        var pooledWidth: Int? { additionWidth.map { $0 - 6 * sizeWidth } }
        /// Width of the condition that every block reads.
        var conditionWidth: Int { 4 * channels[0] }

        /// Residual blocks of a level, those of the middle among the coarsest's.
        func residualBlocks(of level: Int) -> Int {
            2 * blocksPerLevel + 1 + (level == channels.count - 1 ? middleDepths.count : 0)
        }

        /// Blocks of a level's transformers.
        func transformerBlocks(of level: Int) -> Int {
            let last = channels.count - 1
            let depths = downDepths(of: level) + upDepths(of: last - level) + (level == last ? middleDepths : [])
            return depths.reduce(0) { $0 + ($1 ?? 0) }
        }

        /// For each residual block of a level on the way down, counted from the finest: blocks of the transformer
        /// after it, nil where none is.
        func downDepths(of level: Int) -> [Int?] {
            Self.depths(depthsDown[level], of: blocksPerLevel, attends: attendsDown[level])
        }

        /// As on the way down, on the way up, counted from the coarsest.
        func upDepths(of index: Int) -> [Int?] {
            Self.depths(depthsUp[index], of: blocksPerLevel + 1, attends: attendsUp[index])
        }

        /// As on the way down, in the middle.
        var middleDepths: [Int?] {
            switch middle {
            case .attending: [depthsDown[channels.count - 1][0], nil]
            case .plain: [nil]
            case nil: []
            }
        }

        private static func depths(_ depths: [Int], of blocks: Int, attends: Bool) -> [Int?] {
            (0..<blocks).map { attends ? depths[depths.count == 1 ? 0 : $0] : nil }
        }

        /// Whether learning computes all of these once more, by the latents' size.
        func recomputes(samples: Int, height: Int, width: Int) -> Bool {
            var (numbers, height, width) = (0, height, width)
            for level in channels.indices {
                let blocks = residualBlocks(of: level) + transformerBlocks(of: level)
                numbers += samples * height * width * channels[level] * blocks
                (height, width) = ((height + 1) / 2, (width + 1) / 2)
            }
            return BlockRecomputation.pays(reading: numbers)
        }

        private enum CodingKeys: String, CodingKey {
            case latentChannels = "in_channels"
            case outputChannels = "out_channels"
            case channels = "block_out_channels"
            case blocksPerLevel = "layers_per_block"
            case downKinds = "down_block_types"
            case upKinds = "up_block_types"
            /// The number of heads, in spite of its name; `num_attention_heads` where that is given.
            case headsUnderOldName = "attention_head_dim"
            case heads = "num_attention_heads"
            case depthsDown = "transformer_layers_per_block"
            case depthsUp = "reverse_transformer_layers_per_block"
            case middle = "mid_block_type"
            case groups = "norm_num_groups"
            case epsilon = "norm_eps"
            case textWidth = "cross_attention_dim"
            case additionKind = "addition_embed_type"
            case additionWidth = "projection_class_embeddings_input_dim"
            case sizeWidth = "addition_time_embed_dim"
            case projectsLinearly = "use_linear_projection"
        }

        /// Blocks of a level's transformers: one number for all, or one for each.
        private struct Depths: Decodable {
            let blocks: [Int]

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let all = try? value.decode(Int.self) {
                    blocks = [all]
                } else {
                    blocks = try value.decode([Int].self)
                }
            }
        }

        private static let attending = (down: "CrossAttnDownBlock2D", up: "CrossAttnUpBlock2D")
        private static let plain = (down: "DownBlock2D", up: "UpBlock2D")

        /// What is written once for all levels, or as a list of them.
        private struct Levels {
            let keys: KeyedDecodingContainer<CodingKeys>
            let count: Int

            func numbers(_ key: CodingKeys) throws -> [Int]? {
                if let all = try? keys.decodeIfPresent(Int.self, forKey: key) {
                    return Array(repeating: all, count: count)
                }
                return try keys.decodeIfPresent([Int].self, forKey: key)
            }

            func depths(_ key: CodingKeys) throws -> [[Int]]? {
                if let all = try? keys.decodeIfPresent(Int.self, forKey: key) {
                    return Array(repeating: [all], count: count)
                }
                return try keys.decodeIfPresent([Depths].self, forKey: key)?.map(\.blocks)
            }

            /// One number for all levels, also where it is written as a list.
            func common(_ key: CodingKeys, _ usual: Int) throws -> Int {
                guard let list = try? keys.decode([Int].self, forKey: key) else { return try keys.value(key, usual) }
                guard let first = list.first, list.allSatisfy({ $0 == first }) else {
                    throw problem(key, "\(key.rawValue) \(list) differs between the levels, which is not built")
                }
                return first
            }

            func attends(_ key: CodingKeys, _ attending: String, _ plain: String) throws -> [Bool]? {
                try keys.decodeIfPresent([String].self, forKey: key)?.map { kind in
                    guard kind == attending || kind == plain else {
                        throw problem(key, "\(kind) is unknown; \(attending) and \(plain) are")
                    }
                    return kind == attending
                }
            }

            private func problem(_ key: CodingKeys, _ text: String) -> DecodingError {
                .dataCorruptedError(forKey: key, in: keys, debugDescription: text)
            }
        }

        /// What is left out is that of SDXL, but for what diffusers leaves out itself.
        /// - Throws: `DecodingError` for blocks of other kinds.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            let usual = Configuration.sdxl
            let channels = try keys.value(.channels, usual.channels)
            let levels = Levels(keys: keys, count: channels.count)
            let latentChannels = try keys.value(.latentChannels, 4)
            let readsSizes = try keys.decodeIfPresent(String.self, forKey: .additionKind) == "text_time"
            self.init(
                latentChannels: latentChannels, outputChannels: try keys.value(.outputChannels, latentChannels),
                channels: channels, blocksPerLevel: try levels.common(.blocksPerLevel, 2),
                attendsDown: try levels.attends(.downKinds, Self.attending.down, Self.plain.down) ?? usual.attendsDown,
                attendsUp: try levels.attends(.upKinds, Self.attending.up, Self.plain.up) ?? usual.attendsUp,
                heads: try levels.numbers(.heads) ?? levels.numbers(.headsUnderOldName) ?? channels.map { _ in 8 },
                transformerDepths: [],
                groups: try keys.value(.groups, 32), epsilon: try keys.value(.epsilon, 1e-5),
                textWidth: try levels.common(.textWidth, 1280),
                additionWidth: readsSizes ? try keys.decode(Int.self, forKey: .additionWidth) : nil,
                sizeWidth: try keys.value(.sizeWidth, 256), projectsLinearly: try keys.value(.projectsLinearly, false))
            let down = try levels.depths(.depthsDown) ?? channels.map { _ in [1] }
            depthsDown = down
            depthsUp = try levels.depths(.depthsUp) ?? down.reversed()
            middle = try Self.middle(keys)
        }

        /// That is nothing where it is null, and what diffusers takes for it where it is left out.
        private static func middle(_ keys: KeyedDecodingContainer<CodingKeys>) throws -> Middle? {
            guard keys.contains(.middle) else { return .attending }
            return try keys.decodeIfPresent(String.self, forKey: .middle).map { kind in
                guard let middle = Middle(rawValue: kind) else {
                    throw DecodingError.dataCorruptedError(
                        forKey: .middle, in: keys,
                        debugDescription: "\(kind) is unknown; \(Middle.attending.rawValue) and "
                            + "\(Middle.plain.rawValue) are")
                }
                return middle
            }
        }

        /// Heads are written as `attention_head_dim`, where diffusers' own files have their number.
        /// - Throws: what the encoder does.
        package func encode(to encoder: any Encoder) throws {
            var keys = encoder.container(keyedBy: CodingKeys.self)
            try keys.encode(latentChannels, forKey: .latentChannels)
            try keys.encode(outputChannels, forKey: .outputChannels)
            try keys.encode(channels, forKey: .channels)
            try keys.encode(blocksPerLevel, forKey: .blocksPerLevel)
            try keys.encode(attendsDown.map { $0 ? Self.attending.down : Self.plain.down }, forKey: .downKinds)
            try keys.encode(attendsUp.map { $0 ? Self.attending.up : Self.plain.up }, forKey: .upKinds)
            try keys.encode(heads, forKey: .headsUnderOldName)
            if depthsUp == depthsDown.reversed(), depthsDown.allSatisfy({ $0.count == 1 }) {
                try keys.encode(depthsDown.flatMap { $0 }, forKey: .depthsDown)
            } else {
                try keys.encode(depthsDown, forKey: .depthsDown)
                try keys.encode(depthsUp, forKey: .depthsUp)
            }
            try keys.encode(middle?.rawValue, forKey: .middle)
            try keys.encode(groups, forKey: .groups)
            try keys.encode(epsilon, forKey: .epsilon)
            try keys.encode(textWidth, forKey: .textWidth)
            try keys.encode(additionWidth == nil ? nil : "text_time", forKey: .additionKind)
            try keys.encode(additionWidth, forKey: .additionWidth)
            try keys.encode(sizeWidth, forKey: .sizeWidth)
            try keys.encode(projectsLinearly, forKey: .projectsLinearly)
        }
    }
}
