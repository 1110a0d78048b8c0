import Foundation
import Jobs
import Testing

/// What is a reference picture, and what is told to who sent none: sizes, counts and formats, never digits of base64.
@Suite struct ImageSourceTests {
    private func problems(_ images: JSONValue) -> [Problem] {
        let body: JSONValue = [
            "version": 1, "kind": "personalize", "concept": ["name": "rex", "role": "subject", "class": "dog"],
            "method": "arbooth", "model": "pocket-infinity", "images": images,
        ]
        do {
            let spec = try JobSpec(body)
            #expect(throws: Never.self) { try #expect(JobSpec(body: spec.json.line) == spec) }
            return []
        } catch { return (error as? Problems)?.list ?? [] }
    }

    private func base64(_ bytes: [UInt8]) -> JSONValue { .string(Data(bytes).base64EncodedString()) }
    private let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    private let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0]
    private let webp = Array("RIFF\u{1}\u{0}\u{0}\u{0}WEBP".utf8)

    @Test func dataIsAnyFormatAndPNGIsOne() {
        #expect(problems([["png": base64(png)], ["data": base64(png)]]) == [])
        #expect(problems([["data": base64(jpeg)], ["data": base64(webp)]]) == [])
        let wrong = problems([["png": base64(jpeg)], ["png": base64(webp)]])
        #expect(wrong.map(\.pointer) == ["/images/0/png", "/images/1/png"])
        #expect(wrong.map(\.found) == ["a JPEG", "a WebP"] && wrong[0].allowed.contains("data"))
    }

    @Test func whatIsNoPictureIsNamedAtItsPlace() {
        let heic = [0, 0, 0, 24] + Array("ftypheic".utf8)
        let list = problems([
            ["data": base64(heic)], ["png": base64(Array("<!DOCTYPE html>".utf8))],
            ["data": base64(Array("version https://git-lfs.github.com/spec/v1\n".utf8))],
            ["png": "data:image/png;base64,iVBORw0KGgo="], ["png": "iVBORw0KGg"], ["data": "iVBO\nRw0KGgo="],
            ["data": "iVBO*w0KGgo="], ["data": 7], ["png": ""],
        ])
        #expect(
            list.map(\.found) == [
                "a HEIC picture", "a web page", "a Git LFS pointer", "a data: URL",
                "base64 that is not whole: 10 characters, 0 of them =",
                "base64 in lines, with a break after 4 characters",
                "base64 with '*' after 4 characters", "7", "an empty text",
            ])
        #expect(list.map(\.pointer).first == "/images/0/data" && list[0].allowed.contains("heif-convert"))
        #expect(list.count == 9 && list.allSatisfy { !$0.description.contains("iVBO") })
    }

    @Test func whatOnlyStandsForAPictureIsNamed() {
        let hexadecimal = { (bytes: [UInt8]) in bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        let texts = [
            "https://example.com/photo.png", "s3://bucket/photo", "/home/me/photo.jpg", "Foto von Léo.HEIC",
            "b'iVBORw0KGgo='", hexadecimal(png), hexadecimal(jpeg).uppercased(), hexadecimal(webp),
        ]
        let list = problems(.array(texts.map { ["data": .string($0)] }))
        let digits = "a picture in hexadecimal digits"
        #expect(
            list.map(\.found) == [
                "an address that begins https://", "an address that begins s3://", "a file's name", "a file's name",
                "base64 as Python shows bytes, b'…'", digits, digits, digits,
            ])
    }

    /// What `base64 FILE` prints ends with a line's end, behind what fills the digits up.
    @Test func aBreakBehindTheDigitsIsABreak() {
        let list = problems([["data": "iVBORw0KGgo=\n"], ["data": "iVBO\tRw0KGgo="]])
        let breaks = "base64 in lines, with a break after"
        #expect(list.map(\.found) == ["\(breaks) 12 characters", "\(breaks) 4 characters"])
    }

    @Test func sizesAndCountsAreSaidAsSuch() {
        let many = problems(.array([JSONValue](repeating: ["png": base64(png)], count: 33)))
        #expect(many == [Problem("/images", found: "33 pictures", allowed: "a list of 1 to 32 pictures")])
        #expect(problems([]).map(\.found) == ["0 pictures"])
        let large = problems([["data": base64(jpeg + [UInt8](repeating: 0, count: 16 << 20))]])
        #expect(large.map(\.found) == ["a file of 16.1 MiB"], "more than is allowed in words too")
        let texts = problems([
            .string(String(repeating: "iVBORw0KGgo", count: 99)), ["png": base64(png), "data": "x"], [:],
        ])
        #expect(texts.map(\.found) == ["a text of 1089 characters", "an object with data, png", "an empty object"])
    }

    @Test func cropsAreFractionsInsideOfThePicture() throws {
        func crop(_ values: JSONValue) -> [String] {
            problems([["png": base64(png), "crop": values]]).map(\.pointer)
        }
        #expect(crop(["left": 0, "top": 0.25, "width": 0.5, "height": 0.75]) == [])
        #expect(crop(["left": 0.6, "top": 0, "width": 0.5, "height": 1]) == ["/images/0/crop"])
        #expect(crop(["left": 0, "top": 0, "width": 0, "height": 1]) == ["/images/0/crop"])
        #expect(crop(["left": 0, "top": 0, "width": 1]) == ["/images/0/crop"])
        #expect(crop([0, 0, 1, 1]) == ["/images/0/crop"])
        let area = CropArea(left: 0.25, top: 0.5, width: 0.5, height: 0.5).pixels(width: 400, height: 300)
        #expect(area == (100, 150, 200, 150))
        #expect(CropArea(left: 0.999, top: 0, width: 0.001, height: 1).pixels(width: 20, height: 10) == (19, 0, 1, 10))
    }
}
