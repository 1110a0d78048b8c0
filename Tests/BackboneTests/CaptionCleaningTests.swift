import ComputeTesting
import Testing

@testable import Backbones

/// What the reference's `text_preprocessing` makes of captions.
@Suite(.computing) struct CaptionCleaningTests {
    @Test(arguments: [
        ("A <b>Bold</b> dog &amp; cat", "a bold dog cat"), ("x<3 and 5 > 2", "x<3 and 5 > 2"),
        ("see https://example.com/a.png now", "see now"), ("by @someone, 2020", "by , 2020"),
        ("a 10x10 tile #12345 item", "a tile item"), ("A+plus%20sign", "a plus sign"),
        ("\"quoted\"", "quoted"), ("one—two", "one-two"), ("a <rex> dog", "a dog"), ("jc6640 jc6640vc", ""),
        ("a <script>var x</script>dog", "a dog"), ("a <script/>dog <style>b", "a dog"), ("a <scripts>dog", "a dog"),
        ("left&center aligned", "left center aligned"), ("fish &chips; &unknown; x", "fish chips unknown x"),
        ("&copy;<b>x</b> &eacute<i>t</i> &eacute", "x ét eacute"), ("a&#233; b&#233g c&#233", "aé bég c"),
        ("cafe &eacute. end &eacute.", "cafe eacute. end é."), ("ΟΔΟΣ ΣΑΣ", "οδος σας"),
    ])
    func aCaptionIsCleaned(caption: String, expected: String) {
        #expect(CaptionCleaning.cleaned(caption) == expected)
    }
}
