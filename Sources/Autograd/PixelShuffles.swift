import Tensors

/// [B, s²·C, H, W] → [B, C, s·H, s·W]: every s² channels become a block of s × s pixels (PyTorch's `pixel_shuffle`).
package struct DepthToSpace: Operation {
    package static let name = "depthToSpace"
    package static var examples: [OperationExample] { [OperationExample(DepthToSpace(2), [.example([2, 8, 2, 3])])] }
    let side: Int
    /// The side s of a block.
    package init(_ side: Int) { self.side = side }

    /// x [B, s²·C, H, W] → [B, C, s·H, s·W].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor { DepthToSpace.applied(inputs[0], side: side) }
    /// ∂/∂x [B, s²·C, H, W], from ∂/∂y [B, C, s·H, s·W].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [SpaceToDepth.applied(dOutput, side: side)] }

    static func applied(_ deep: Tensor, side: Int) -> Tensor {
        let s = deep.shape
        let flat = Tensor(uninitialized: [s[0], s[1] / (side * side), s[2] * side, s[3] * side])
        let (target, source) = (flat.pointer, deep.pointer)
        PixelBlocks(flat: flat.shape, side: side).forEachRow { row in
            for j in 0..<row.count { target[row.flat + j * side] = source[row.deep + j] }
        }
        return flat
    }
}

/// [B, C, s·H, s·W] → [B, s²·C, H, W]: every block of s × s pixels becomes s² channels (PyTorch's `pixel_unshuffle`).
package struct SpaceToDepth: Operation {
    package static let name = "spaceToDepth"
    package static var examples: [OperationExample] { [OperationExample(SpaceToDepth(2), [.example([2, 2, 4, 6])])] }
    let side: Int
    /// The side s of a block.
    package init(_ side: Int) { self.side = side }

    /// x [B, C, s·H, s·W] → [B, s²·C, H, W].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor { SpaceToDepth.applied(inputs[0], side: side) }
    /// ∂/∂x [B, C, s·H, s·W], from ∂/∂y [B, s²·C, H, W].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [DepthToSpace.applied(dOutput, side: side)] }

    static func applied(_ flat: Tensor, side: Int) -> Tensor {
        let s = flat.shape
        let deep = Tensor(uninitialized: [s[0], s[1] * side * side, s[2] / side, s[3] / side])
        let (target, source) = (deep.pointer, flat.pointer)
        PixelBlocks(flat: flat.shape, side: side).forEachRow { row in
            for j in 0..<row.count { target[row.deep + j] = source[row.flat + j * side] }
        }
        return deep
    }
}

/// Where the pixels of a flat map [B, C, s·H, s·W] lie in its deep form [B, s²·C, H, W].
private struct PixelBlocks {
    let planes, height, width, side: Int

    init(flat shape: [Int], side: Int) {
        (planes, height, width, self.side) = (shape[0] * shape[1], shape[2] / side, shape[3] / side, side)
    }

    /// Calls `body` for every row of the deep map: its offset there, that of its first pixel in the flat map, its
    /// length.
    func forEachRow(_ body: ((deep: Int, flat: Int, count: Int)) -> Void) {
        parallel(planes, grain: 2) { range in
            for plane in range {
                for place in 0..<side * side {
                    for i in 0..<height {
                        let flatRow = (plane * height + i) * side + place / side
                        body(
                            (
                                ((plane * side * side + place) * height + i) * width,
                                flatRow * width * side + place % side, width
                            ))
                    }
                }
            }
        }
    }
}
