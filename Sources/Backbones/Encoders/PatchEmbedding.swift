import Autograd
import Layers

/// Pictures as the tokens of a vision transformer (Dosovitskiy et al., arXiv 2010.11929): a class token, then every
/// patch through one projection, each plus its learned position. For pictures of another size the positions of the
/// patches are interpolated bicubically.
struct PatchEmbedding {
    /// Names in a published checkpoint, and the shapes the vectors have there.
    struct Names {
        let projection, classToken, positions: String
        /// Leading ones of the class token's and the positions' shapes.
        let classDimensions, positionDimensions: [Int]
    }

    private let projection: ConvolutionLayer
    private let classToken: Parameter
    private let positions: Parameter
    private let width: Int
    /// Patches on a side of the picture the positions were learned for.
    private let grid: Int
    /// Added to the new number of patches where positions are interpolated.
    private let excess: Float

    init(
        _ weights: Weights, _ names: Names, width: Int, pictureSize: Int, patchSize: Int, bias: Bool,
        excess: Float = 0
    ) {
        (self.width, self.excess) = (width, excess)
        grid = pictureSize / patchSize
        projection = ConvolutionLayer(
            weights, names.projection, from: 3, to: width, kernel: patchSize, stride: patchSize, padding: .around(0),
            bias: bias)
        classToken = weights.parameter(names.classToken, names.classDimensions + [width], .normal(deviation: 0.02))
        positions = weights.parameter(
            names.positions, names.positionDimensions + [grid * grid + 1, width], .normal(deviation: 0.02))
    }

    /// Pictures [B, 3, H, W] to tokens [B, 1 + ⌊H/patch⌋·⌊W/patch⌋, C].
    func callAsFunction(_ pictures: Variable) -> Variable {
        let map = projection(pictures)
        let batch = map.shape[0]
        let patches = SwapPlanes().apply([map.reshaped([batch, width, map.shape[2] * map.shape[3]])])
        let first = Gather([Int32](repeating: 0, count: batch)).apply([classToken.variable.reshaped([1, width])])
        let tokens = Concatenate().apply([first.reshaped([batch, 1, width]), patches])
        return AddRows(rowsPerGroup: 1).apply([tokens, positions(rows: map.shape[2], columns: map.shape[3])])
    }

    /// Positions of the class token and of rows·columns patches, [1, 1 + rows·columns, C].
    func positions(rows: Int, columns: Int) -> Variable {
        let all = positions.variable.reshaped([1, grid * grid + 1, width])
        if rows == grid && columns == grid { return all }
        let map = SwapPlanes().apply([all.tokens(1..<grid * grid + 1)]).reshaped([1, width, grid, grid])
        let resized = Resize(height: rows, width: columns, method: .bicubic, excess: excess).apply([map])
            .reshaped([1, width, rows * columns])
        return Concatenate().apply([all.tokens(0..<1), SwapPlanes().apply([resized])])
    }
}
