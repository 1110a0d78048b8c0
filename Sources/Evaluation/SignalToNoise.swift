import Foundation
import Images

/// Peak signal-to-noise ratio of reconstructed pictures: 10 · log10(255² / mean squared error), in decibels.
///
/// The mean is over all pixels of all pictures: averaging decibels instead would let a few flat pictures outweigh the
/// rest.
package struct SignalToNoise: Sendable {
    private var squares = 0.0
    private var count = 0

    package init() {}

    /// - Precondition: both pictures have one size.
    package mutating func add(_ picture: Picture, reconstruction: Picture) {
        precondition(
            picture.width == reconstruction.width && picture.height == reconstruction.height,
            "\(picture.width) × \(picture.height) pixels beside \(reconstruction.width) × \(reconstruction.height)")
        for (a, b) in zip(picture.pixels, reconstruction.pixels) {
            let difference = Double(a) - Double(b)
            squares += difference * difference
        }
        count += picture.pixels.count
    }

    /// Infinite when every pixel is as it was.
    package var decibels: Double { 10 * log10(255 * 255 / (squares / Double(max(count, 1)))) }
}
