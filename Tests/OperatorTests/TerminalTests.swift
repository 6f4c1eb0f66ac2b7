import Foundation
import RabbitMQ
import Testing

@testable import turnstile

@Suite struct `What the command line prints` {
    private let nasty = "\u{1B}]0;owned\u{7}\n\u{9B}31m\u{202E}"
    private let shown = #"\u{1b}]0;owned\u{7}\n\u{9b}31m\u{202e}"#

    @Test func `shows as escapes what a terminal would obey`() {
        #expect(Terminal.visible("kind: \(nasty)!") == "kind: \(shown)!")
        #expect(Refusal(nasty).description == shown)
        let table = Table(headings: ["kind", "reason"], rows: [[nasty, "größer 👩‍🚒"]], isPlain: true)
        #expect(table.lines.last == "\(shown)  größer 👩‍🚒")
    }

    @Test func `has its own styles, and nobody else's`() {
        let line = Terminal.visible(Terminal.bold("a \u{1B}[31mred\u{1B}[0m") + nasty)
        #expect(line == "\u{1B}[1ma \\u{1b}[31mred\\u{1b}[0m\u{1B}[0m\(shown)")
    }
}
