import Jobs
import Testing

/// Nouns as prompts and problems say one of them.
struct NounArticleTests {
    @Test(arguments: [
        "a dog", "an owl", "an ice cream", "an Akita", "an English bulldog", "a unicorn toy", "a European hedgehog",
        "a Ukulele", "an umbrella",
    ])
    func aNounHasTheArticleThatItIsSaidWith(expected: String) {
        let noun = expected.split(separator: " ", maxSplits: 1)[1]
        #expect(String(noun).withArticle == expected)
    }
}
