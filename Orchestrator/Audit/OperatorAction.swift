import Contracts
import FoundationEssentials

/// One thing that an operator did.
package struct OperatorAction: Codable, Sendable {
    package let action: ActionID
    package let at: Date
    package let by: String
    /// The address that the request came from.
    package let from: String?
    package let did: String
    package let subject: String
    package let letters: Int
    package let reason: String?
    /// How it ended; nil while it is under way, or when the process died of it.
    package let result: String?
    /// Of a replay, how many of its letters have failed again.
    package let returned: Int
}

/// What is written down before an operator's wish is carried out.
package struct NewAction: Sendable {
    let word: String
    let subject: String
    var letters = 0
    var reason: String?

    package init(word: String, subject: String, letters: Int = 0, reason: String? = nil) {
        self.word = word
        self.subject = subject
        self.letters = letters
        self.reason = reason
    }
}
