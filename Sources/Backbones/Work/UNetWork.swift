extension UNet.Configuration {
    /// The network over latents of a size and texts of so many tokens.
    func predicting(_ samples: Int, height: Int, width: Int, text: Int, rank: Int) -> Work {
        var pass = UNetPass(
            configuration: self, samples: samples, text: text, rank: rank,
            recomputes: recomputes(samples: samples, height: height, width: width), height: height, width: width)
        pass.convolve(from: latentChannels, to: channels[0])
        pass.condition()
        var skips = [channels[0]]
        for level in channels.indices {
            for depth in downDepths(of: level) {
                pass.block(level, depth: depth)
                skips.append(channels[level])
            }
            guard level < channels.count - 1 else { continue }
            pass.halve()
            skips.append(channels[level])
        }
        let coarsest = channels.count - 1
        for depth in middleDepths { pass.block(coarsest, depth: depth) }
        for (index, level) in channels.indices.reversed().enumerated() {
            for depth in upDepths(of: index) {
                pass.join(skips.removeLast())
                pass.block(level, depth: depth)
            }
            if level > 0 { pass.double() }
        }
        pass.normalize()
        pass.convolve(to: outputChannels)
        return pass.work
    }

    /// Numbers of a change of rank 1 of all attention projections.
    var lowRankNumbers: Int {
        channels.indices.reduce(0) { $0 + transformerBlocks(of: $1) * (14 * channels[$1] + 2 * textWidth) }
    }
}

/// A pass through a U-Net: the map on its way, and what it has taken so far.
private struct UNetPass {
    let configuration: UNet.Configuration
    let samples, text, rank: Int
    let recomputes: Bool
    var height, width: Int
    var channels = 0
    var work = Work()

    private var positions: Int { samples * height * width }

    mutating func pointwise(operations: Int = 1) { work.pointwise(positions * channels, operations: operations) }

    mutating func normalize() { work.cheap(positions * channels) }

    mutating func convolve(from inputs: Int? = nil, to outputs: Int, stride: Int = 1) {
        work.convolution(
            samples, from: inputs ?? channels, to: outputs, height: height, width: width, kernel: 3, stride: stride)
        channels = outputs
    }

    mutating func halve() {
        (height, width) = ((height + 1) / 2, (width + 1) / 2)
        convolve(to: channels, stride: 2)
    }

    mutating func double() {
        (height, width) = (2 * height, 2 * width)
        pointwise()
        convolve(to: channels)
    }

    mutating func join(_ skip: Int) {
        channels += skip
        pointwise()
    }

    /// The time step, and the pooled text with the sizes where the model reads them.
    mutating func condition() {
        let c = configuration
        for inputs in [c.channels[0]] + (c.additionWidth.map { [$0] } ?? []) {
            work.linear(samples, from: inputs, to: c.conditionWidth)
            work.linear(samples, from: c.conditionWidth, to: c.conditionWidth)
        }
    }

    mutating func block(_ level: Int, depth: Int?) {
        residual(to: configuration.channels[level])
        if let depth { transform(level, depth: depth) }
    }

    mutating func residual(to outputs: Int) {
        if outputs != channels {
            work.convolution(samples, from: channels, to: outputs, height: height, width: width, kernel: 1)
        }
        var branch = self
        branch.work = Work()
        branch.change(to: outputs)
        work += branch.work.blocks(1, reading: positions * channels, where: recomputes)
        channels = outputs
        pointwise()
    }

    /// What a residual block adds to its map.
    private mutating func change(to outputs: Int) {
        normalize()
        convolve(to: outputs)
        work.linear(samples, from: configuration.conditionWidth, to: outputs)
        pointwise()
        normalize()
        convolve(to: outputs)
    }

    private mutating func transform(_ level: Int, depth: Int) {
        normalize()
        work.linear(positions, from: channels, to: channels)
        work += transformerBlock(heads: configuration.heads[level])
            .blocks(depth, reading: positions * channels, where: recomputes)
        work.linear(positions, from: channels, to: channels)
        pointwise(operations: 2)
    }

    private func transformerBlock(heads: Int) -> Work {
        let (rows, size) = (positions, channels)
        let each = Double(height * width)
        var block = Work()
        block.cheap(rows * size, operations: 3)
        for _ in 0..<4 { block.linear(rows, from: size, to: size, rank: rank) }
        block.attention(rows, keys: rows, pairs: Double(samples) * each * each, width: size, heads: heads)
        for _ in 0..<2 { block.linear(rows, from: size, to: size, rank: rank) }
        for _ in 0..<2 { block.linear(samples * text, from: configuration.textWidth, to: size, rank: rank) }
        let pairs = Double(samples) * each * Double(text)
        block.attention(rows, keys: samples * text, pairs: pairs, width: size, heads: heads)
        block.pointwise(rows * size, operations: 3)
        block.linear(rows, from: size, to: 8 * size)
        block.pointwise(rows * 4 * size, operations: 2)
        block.cheap(rows * 4 * size, operations: 2)
        block.linear(rows, from: 4 * size, to: size)
        return block
    }
}
