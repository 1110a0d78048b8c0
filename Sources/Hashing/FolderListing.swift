import Foundation

/// The files of a model's folder: those in it, and those in folders within it, where a component has several.
package enum FolderListing {
    /// Names below `folder`, in order (`text_encoder/model.safetensors`), of the files whose own name is `wanted`.
    /// Links are what they lead to; what begins with a dot is passed over.
    /// - Throws: what the file system says where the folder cannot be listed.
    package static func names(in folder: String, where wanted: (String) -> Bool) throws -> [String] {
        let files = FileManager.default
        return try files.contentsOfDirectory(atPath: folder).flatMap { name -> [String] in
            if name.hasPrefix(".") { return [] }
            var isFolder: ObjCBool = false
            _ = files.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
            guard isFolder.boolValue else { return wanted(name) ? [name] : [] }
            let inner = (try? files.contentsOfDirectory(atPath: "\(folder)/\(name)")) ?? []
            return inner.filter { !$0.hasPrefix(".") && wanted($0) }.map { "\(name)/\($0)" }
        }.sorted()
    }

    /// What is wrong with pipes, sockets and devices in `folder` or in folders within it: who reads such a one may wait
    /// for ever.
    package static func special(in folder: String) -> [String] {
        let all = (try? names(in: folder) { _ in true }) ?? []
        return all.map { "\(folder)/\($0)" }.filter { path in
            var status = stat()
            guard stat(path, &status) == 0 else { return false }
            return status.st_mode & S_IFMT != S_IFREG && status.st_mode & S_IFMT != S_IFDIR
        }.map { "\($0): it is neither a file nor a folder but a pipe, a socket or a device: take it away" }
    }
}
