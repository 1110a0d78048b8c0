import Autograd
import Backbones
import Catalogue
import Foundation
import Images
import Jobs
import Tensors

/// Infinity as it is released: prompts to features, teacher-forced logits, greedy bits, the picture, and the VAE's
/// encoder.
struct InfinityReleaseConformance {
    let release: ReleaseCase
    let model: InfinityModel

    /// - Parameter model: the release's own unless given.
    init(_ release: ReleaseCase, model: InfinityModel? = nil) throws {
        self.release = release
        self.model =
            try model
            ?? release.asModel(nil, Self.wishes(release)) { folder, _ in try InfinityModel(directory: folder) }
        self.model.freeze()
    }

    /// What the files do not say of the schedule.
    static func wishes(_ release: ReleaseCase) -> ReleaseWishes {
        var wishes = ReleaseWishes()
        wishes.pixels = release.unwritten("pn")?.string
        wishes.ratio = release.unwritten("h_div_w")?.double ?? 1
        wishes.heads = release.unwritten("num_heads")?.integer
        return wishes
    }

    func run() throws {
        try text()
        try generated()
        try encoded()
    }

    /// The settings that were read from shapes, and the schedule.
    func text() throws {
        let sides = release.unwritten("scale_schedule")?.array?.map { $0.array?.compactMap(\.integer) ?? [] } ?? []
        let schedule = model.transformer.configuration.schedule
        release.compareSaid("scale_schedule", schedule.sides.map { [1, $0.height, $0.width] }, sides)
        let prompts = try release.texts("prompts")
        for (index, prompt) in prompts.enumerated() {
            try release.compareExactly("text.ids.\(index)", model.ids([prompt])[0].map(Int.init))
            try release.compare("text.features.\(index)", model.encode([prompt]).values.value)
        }
        try teacherForced(model.encode(prompts))
    }

    func teacherForced(_ text: TextFeatures) throws {
        let transformer = model.transformer
        let maps = transformer.configuration.quantizer.maps(
            bits: try release.bytes("tf.bits"), batch: text.lengths.count)
        try release.compare("tf.x_BLC_wo_prefix_every8", maps.inputs.everyRow(8))
        try release.compare("tf.logits_every4", transformer.logits(text, inputs: maps.inputs).value.everyRow(4))
    }

    private func generated() throws {
        let sum = try greedy(model.encode([try release.texts("prompts")[0]])).sum
        let decoded = model.tokenizer.decode(Variable(sum)).value.clamped()
        try release.compare("decoded_every4", decoded.everyPlace(4))
        let picture = decoded.pictures()[0]
        try release.comparePicture("picture", picture.swappingRedAndBlue())
    }

    /// Greedy bits of a prompt, compared scale by scale.
    func greedy(_ text: TextFeatures) throws -> TokenMaps {
        let sampling = Sampling(
            guidance: try release.floats("cfg_list"), temperature: try release.floats("tau_list"), isGreedy: true,
            seeds: [])
        var logits: [Tensor] = []
        let maps = model.transformer.generate(text, sampling: sampling) { logits.append($1) }
        for scale in maps.schedule.sides.indices {
            try release.compareExactly("ar.bits.\(scale)", maps.bits(ofScale: scale))
            if release.has("ar.logits.\(scale)") { try release.compare("ar.logits.\(scale)", logits[scale]) }
        }
        try release.compare("ar.summed_codes", maps.sum)
        return maps
    }

    private func encoded() throws {
        let h = model.tokenizer.features(Variable(.pictures([try release.picture("enc.image_u8")]))).value
        try release.compare("enc.h", h)
        let schedule = try encodingSchedule()
        guard [schedule.last.height, schedule.last.width] == Array(h.shape.suffix(2)) else {
            throw release.problem("semantics.enc names a schedule that does not end with the features' size")
        }
        // The VAE's own codes, of which a token of the 8B has four.
        let maps = BitwiseQuantizer(schedule: schedule, depth: h.shape[1]).quantize(h)
        try release.compare("enc.z", maps.sum)
        for scale in maps.schedule.sides.indices {
            try release.compareExactly("enc.bits.\(scale)", maps.bits(ofScale: scale))
        }
    }

    /// The schedule of the encoded picture stands in words: "… with the schedule [[1, 1, 1], …]".
    private func encodingSchedule() throws -> ScaleSchedule {
        let words = release.description["semantics"]?["enc"]?.string ?? ""
        guard let start = words.firstRange(of: "[["), let end = words.firstRange(of: "]]"),
            let list = try JSONValue(json: Data(words[start.lowerBound..<end.upperBound].utf8)).array
        else { throw release.problem("semantics.enc names no schedule") }
        let sides = list.map { $0.array?.compactMap(\.integer) ?? [] }
        return ScaleSchedule(sides.map { ScaleSchedule.Side(height: $0[1], width: $0[2]) })
    }
}

extension Picture {
    fileprivate func swappingRedAndBlue() -> Picture {
        var pixels = pixels
        for place in stride(from: 0, to: pixels.count, by: 3) { pixels.swapAt(place, place + 2) }
        return Picture(width: width, height: height, pixels: pixels)
    }
}
