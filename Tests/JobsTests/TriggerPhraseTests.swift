import Jobs
import Testing

struct TriggerPhraseTests {
    @Test(arguments: ["sks", "sks dog", "in the style of ink, 水墨", "a 1girl, I <3 dogs"])
    func wordsCanStandInAPrompt(_ text: String) { #expect(TriggerPhrase.isOne(text)) }

    @Test(arguments: [
        "", " ", "sks\ndog", "sks\u{2028}dog", "sks\0", "<b>", "a <rex> dog", "<Rex>", "a {class}",
        String(repeating: "dog ", count: 21), String(repeating: "q", count: 257),
    ])
    func whatAPromptCannotHaveInItIsNone(_ text: String) { #expect(!TriggerPhrase.isOne(text)) }
}
