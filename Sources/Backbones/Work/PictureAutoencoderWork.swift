/// The convolutional halves of a picture tokenizer, by their numbers: see `PictureAutoencoderPlan`, whose code this
/// counts along.
struct PictureAutoencoderWork: Sendable {
    let baseChannels: Int
    let encoderChannels, decoderChannels: [Int]
    let residualBlocks: Int
    var pixelBlock = 1
    /// Channels that leave the encoder, and that enter the decoder.
    let encodedChannels, latentChannels: Int
    let halvings: Int
    let middleAttends: Bool
    var attendingLevels: Set<Int> = []

    /// A map of the network: batch, channels, height and width.
    private struct Map {
        let batch: Int
        var height, width: Int
        var channels = 0
        var positions: Int { batch * height * width }
    }

    /// What is computed of pictures of so many pixels, as many at a time as are decoded together.
    static func together(_ pictures: Int, each pixels: Int, _ work: (Int) -> Work) -> Work {
        let together = max(1, min(pictures, PicturesTogether.decoded(each: pixels)))
        return Double(pictures) / Double(together) * work(together)
    }

    /// Pictures [B, 3, height, width] to latents.
    func encoding(_ batch: Int, height: Int, width: Int) -> Work {
        var work = Work()
        var map = Map(batch: batch, height: height / pixelBlock, width: width / pixelBlock)
        convolve(&work, &map, from: 3 * pixelBlock * pixelBlock, to: baseChannels)
        for (level, width) in encoderChannels.enumerated() {
            self.level(
                &work, &map, to: width, blocks: residualBlocks, attends: attendingLevels.contains(level))
            guard level < halvings else { continue }
            (map.height, map.width) = (map.height / 2, map.width / 2)
            convolve(&work, &map, to: map.channels, stride: 2)
        }
        middle(&work, &map)
        work.cheap(map.positions * map.channels)
        convolve(&work, &map, to: encodedChannels)
        return work
    }

    /// Latents to pictures of this size, as many at a time as are decoded together.
    func decoding(_ pictures: Int, height: Int, width: Int) -> Work {
        Self.together(pictures, each: height * width) { decoding(together: $0, height: height, width: width) }
    }

    private func decoding(together batch: Int, height: Int, width: Int) -> Work {
        var work = Work()
        let shrink = pixelBlock << halvings
        var map = Map(batch: batch, height: height / shrink, width: width / shrink)
        let coarsest = decoderChannels.count - 1
        convolve(&work, &map, from: latentChannels, to: decoderChannels[coarsest])
        middle(&work, &map)
        for level in decoderChannels.indices.reversed() {
            self.level(
                &work, &map, to: decoderChannels[level], blocks: residualBlocks + 1,
                attends: attendingLevels.contains(level))
            guard level > 0, level <= halvings else { continue }
            (map.height, map.width) = (2 * map.height, 2 * map.width)
            work.pointwise(map.positions * map.channels)
            convolve(&work, &map, to: map.channels)
        }
        work.cheap(map.positions * map.channels)
        convolve(&work, &map, to: 3 * pixelBlock * pixelBlock)
        return work
    }

    private func convolve(
        _ work: inout Work, _ map: inout Map, from inputs: Int? = nil, to outputs: Int, kernel: Int = 3,
        stride: Int = 1
    ) {
        work.convolution(
            map.batch, from: inputs ?? map.channels, to: outputs, height: map.height, width: map.width,
            kernel: kernel, stride: stride)
        map.channels = outputs
    }

    private func level(_ work: inout Work, _ map: inout Map, to channels: Int, blocks: Int, attends: Bool) {
        for _ in 0..<blocks {
            residual(&work, &map, to: channels)
            if attends { attention(&work, map) }
        }
    }

    private func middle(_ work: inout Work, _ map: inout Map) {
        residual(&work, &map, to: map.channels)
        if middleAttends { attention(&work, map) }
        residual(&work, &map, to: map.channels)
    }

    private func residual(_ work: inout Work, _ map: inout Map, to channels: Int) {
        var around = map
        if channels != map.channels { convolve(&work, &around, to: channels, kernel: 1) }
        work.cheap(map.positions * map.channels)
        convolve(&work, &map, to: channels)
        work.cheap(map.positions * channels)
        convolve(&work, &map, to: channels)
        work.pointwise(map.positions * channels)
    }

    private func attention(_ work: inout Work, _ map: Map) {
        let size = map.channels
        work.cheap(map.positions * size)
        for _ in 0..<4 { work.linear(map.positions, from: size, to: size) }
        let each = Double(map.height * map.width)
        work.attention(
            map.positions, keys: map.positions, pairs: Double(map.batch) * each * each, width: size, heads: 1)
        work.pointwise(map.positions * size)
    }
}

extension BitwiseTokenizer.Configuration {
    var work: PictureAutoencoderWork {
        PictureAutoencoderWork(
            baseChannels: baseChannels, encoderChannels: encoderMultipliers.map { $0 * baseChannels },
            decoderChannels: decoderMultipliers.map { $0 * baseChannels }, residualBlocks: residualBlocks,
            pixelBlock: block,
            encodedChannels: bits, latentChannels: bits, halvings: halvings, middleAttends: false)
    }
}

extension ChameleonTokenizer.Configuration {
    var work: PictureAutoencoderWork {
        let channels = multipliers.map { $0 * baseChannels }
        return PictureAutoencoderWork(
            baseChannels: baseChannels, encoderChannels: channels, decoderChannels: channels,
            residualBlocks: residualBlocks, pixelBlock: pixelBlock ?? 1, encodedChannels: latentChannels,
            latentChannels: latentChannels, halvings: multipliers.count - 1, middleAttends: true,
            attendingLevels: Set(attendingLevels ?? []))
    }
}

extension LlamaGenTokenizer.Configuration {
    var work: PictureAutoencoderWork {
        let channels = multipliers.map { $0 * baseChannels }
        return PictureAutoencoderWork(
            baseChannels: baseChannels, encoderChannels: channels, decoderChannels: channels,
            residualBlocks: residualBlocks, pixelBlock: pixelBlock, encodedChannels: latentChannels,
            latentChannels: latentChannels, halvings: multipliers.count - 1, middleAttends: true,
            attendingLevels: [multipliers.count - 1])
    }
}

extension AutoencoderKL.Configuration {
    var work: PictureAutoencoderWork {
        PictureAutoencoderWork(
            baseChannels: channels[0], encoderChannels: channels, decoderChannels: channels,
            residualBlocks: blocksPerLevel, pixelBlock: pixelBlock, encodedChannels: 2 * latentChannels,
            latentChannels: latentChannels, halvings: channels.count - 1, middleAttends: middleAttends)
    }
}
