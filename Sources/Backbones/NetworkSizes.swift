extension SizeChecks {
    /// A transformer that reads, under transformers' names: CLIP's towers and DINO.
    fileprivate mutating func holdEncoder(width: Int, feedForwardWidth: Int, heads: Int, layers: Int) {
        hold(["hidden_size": width, "intermediate_size": feedForwardWidth, "num_attention_heads": heads])
        hold(["num_hidden_layers": layers], to: SizeChecks.deepest)
        hold("num_attention_heads", heads, divides: "hidden_size", [width])
    }

    /// Pixels on a side of a patch, and of a picture.
    fileprivate mutating func holdPatches(of patchSize: Int, in pictureSize: Int) {
        hold(["image_size": pictureSize, "patch_size": patchSize])
        require(patchSize <= pictureSize, "/patch_size: \(patchSize) is more than image_size, \(pictureSize)")
    }
}

extension CLIPModel.Text: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.holdEncoder(width: width, feedForwardWidth: feedForwardWidth, heads: heads, layers: layers)
        checks.hold(["vocab_size": vocabularySize])
        checks.require(
            (3...SizeChecks.widest).contains(length),
            "/max_position_embeddings: \(length); at least 3 are needed, for a word between its marks")
        checks.require((0...Int(Int32.max)).contains(endID), "/eos_token_id: \(endID) is no id of a token")
    }
}

extension CLIPModel.Vision: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.holdEncoder(width: width, feedForwardWidth: feedForwardWidth, heads: heads, layers: layers)
        checks.holdPatches(of: patchSize, in: pictureSize)
    }
}

extension CLIPModel.Configuration: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.under("/text_config", text.hold)
        checks.under("/vision_config", vision.hold)
        checks.hold(["projection_dim": projectionWidth])
    }
}

extension DINOModel.Configuration: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.holdEncoder(width: width, feedForwardWidth: feedForwardWidth, heads: heads, layers: layers)
        checks.holdPatches(of: patchSize, in: pictureSize)
    }
}

extension T5Encoder.Configuration: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.hold([
            "d_model": width, "d_kv": headWidth, "d_ff": feedForwardWidth, "num_heads": heads,
            "vocab_size": vocabularySize,
        ])
        checks.hold(["num_layers": layers], to: SizeChecks.deepest)
        // Half of them for each direction, and half of those for one distance each.
        checks.require(
            (4...SizeChecks.widest).contains(buckets) && buckets / 4 < maximumDistance,
            "/relative_attention_num_buckets: \(buckets) to a distance of \(maximumDistance); at least 4 are needed, "
                + "and relative_attention_max_distance beyond a quarter of them")
    }
}

extension SizeChecks {
    /// Blocks of a level's transformers: one number for all, or one for each residual block, of which there are `more`
    /// than the settings say.
    fileprivate mutating func holdDepths(_ name: String, _ depths: [Int], of blocks: Int, and more: Int = 0) {
        require(
            depths.count == 1 || depths.count - more == blocks,
            "/\(name): \(depths) for the blocks of a level, where layers_per_block is \(blocks)")
        for depth in depths { hold([name: depth], to: SizeChecks.deepest) }
    }
}

extension UNet.Configuration: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.hold([
            "in_channels": latentChannels, "out_channels": outputChannels, "norm_num_groups": groups,
            "cross_attention_dim": textWidth, "addition_time_embed_dim": sizeWidth,
        ])
        checks.hold(["layers_per_block": blocksPerLevel], to: SizeChecks.deepest)
        for width in channels { checks.hold(["block_out_channels": width]) }
        checks.hold("norm_num_groups", groups, divides: "block_out_channels", channels)
        checks.require((0..<1).contains(epsilon), "/norm_eps: \(epsilon); allowed are 0 to 1")
        if let additionWidth { checks.hold(["projection_class_embeddings_input_dim": additionWidth]) }
        holdLevels(&checks)
    }

    /// What is given for each level, and the heads of those that attend.
    private func holdLevels(_ checks: inout SizeChecks) {
        let counts: KeyValuePairs = [
            "down_block_types": attendsDown.count, "up_block_types": attendsUp.count,
            "attention_head_dim": heads.count, "transformer_layers_per_block": depthsDown.count,
            "reverse_transformer_layers_per_block": depthsUp.count,
        ]
        checks.require(!channels.isEmpty, "/block_out_channels: no levels; at least one is needed")
        for (name, count) in counts {
            checks.require(
                count == channels.count, "/\(name): \(count) levels, where block_out_channels has \(channels.count)")
        }
        guard !channels.isEmpty, counts.allSatisfy({ $0.value == channels.count }) else { return }
        let last = channels.count - 1
        for level in channels.indices {
            let downOrMiddle = attendsDown[level] || level == last && middle == .attending
            if downOrMiddle { checks.holdDepths("transformer_layers_per_block", depthsDown[level], of: blocksPerLevel) }
            let up = last - level
            if attendsUp[up] {
                checks.holdDepths("reverse_transformer_layers_per_block", depthsUp[up], of: blocksPerLevel, and: 1)
            }
            guard downOrMiddle || attendsUp[up] else { continue }
            checks.hold(["attention_head_dim": heads[level]])
            checks.hold("attention_head_dim", heads[level], divides: "block_out_channels", [channels[level]])
        }
    }
}

extension AutoencoderKL.Configuration: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.hold(["latent_channels": latentChannels, "norm_num_groups": groups, "pixel_block": pixelBlock])
        checks.hold(["layers_per_block": blocksPerLevel], to: SizeChecks.deepest)
        checks.require(
            (1...16).contains(channels.count), "/block_out_channels: \(channels.count) levels; allowed are 1 to 16")
        for width in channels { checks.hold(["block_out_channels": width]) }
        checks.hold("norm_num_groups", groups, divides: "block_out_channels", channels)
        checks.require(scale > 0, "/scaling_factor: \(scale); it must be more than 0")
    }
}

extension MMDiT.Configuration: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.hold([
            "in_channels": latentChannels, "out_channels": outputChannels, "patch_size": patchSize,
            "num_attention_heads": heads, "attention_head_dim": headWidth, "joint_attention_dim": textWidth,
            "pooled_projection_dim": pooledWidth,
        ])
        checks.hold(["num_layers": depth], to: SizeChecks.deepest)
        checks.hold(["pos_embed_max_size": positionSide, "sample_size": baseSide], to: 1 << 12)
        checks.require(
            heads.multipliedReportingOverflow(by: headWidth).partialValue % 4 == 0,
            "/attention_head_dim: \(headWidth) for each of \(heads) heads; positions need a width that 4 divides")
    }
}

extension FluxTransformer.Configuration: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.hold([
            "in_channels": patchChannels, "out_channels": outputChannels, "num_attention_heads": heads,
            "attention_head_dim": headWidth, "joint_attention_dim": textWidth, "pooled_projection_dim": pooledWidth,
        ])
        checks.hold(["num_layers": depth], to: SizeChecks.deepest)
        checks.require(
            (0...SizeChecks.deepest).contains(singleDepth),
            "/num_single_layers: \(singleDepth); allowed are 0 to \(SizeChecks.deepest)")
        let isEven = rotaryChannels.allSatisfy { $0 >= 0 && $0 <= headWidth && $0 % 2 == 0 }
        checks.require(
            rotaryChannels.count == 3 && isEven && rotaryChannels.reduce(0, +) == headWidth,
            "/axes_dims_rope: \(rotaryChannels); three even numbers are needed that make attention_head_dim, "
                + "\(headWidth), together")
    }
}

extension PipelineSchedule: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.hold(["num_train_timesteps": noise.steps])
        checks.require(
            (0..<max(noise.steps, 1)).contains(noise.offset),
            "/steps_offset: \(noise.offset) is none of num_train_timesteps, \(noise.steps)")
        for (name, variance) in ["beta_start": noise.firstVariance, "beta_end": noise.lastVariance] as KeyValuePairs {
            checks.require(
                variance > 0 && variance < 1, "/\(name): \(variance); allowed is more than 0 and less than 1")
        }
        checks.require((1e-3...1e3).contains(shift), "/shift: \(shift); allowed are 0.001 to 1000")
        tokenShift?.hold(&checks)
    }
}

extension FlowEuler.TokenShift {
    fileprivate func hold(_ checks: inout SizeChecks) {
        checks.require(
            leastTokens >= 0 && leastTokens < mostTokens,
            "/base_image_seq_len: \(leastTokens) is not less than max_image_seq_len, \(mostTokens)")
        // Steps move by e to this power.
        for (name, power) in ["base_shift": least, "max_shift": most] as KeyValuePairs {
            checks.require((-10...10).contains(power), "/\(name): \(power); allowed are -10 to 10")
        }
    }
}
