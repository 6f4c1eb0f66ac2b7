import Contracts

/// Names one letter: a saga sends each template once.
package struct LetterKey: Sendable, Hashable {
    package let sagaID: SagaID
    package let template: SendNotification.Template

    package init(sagaID: SagaID, template: SendNotification.Template) {
        self.sagaID = sagaID
        self.template = template
    }
}

/// A rendered message to one buyer, in plain text.
package struct RenderedMessage: Sendable, Equatable {
    package let key: LetterKey
    package let userID: String
    package let email: String?
    /// One line.
    package let subject: String
    package let body: String

    package init(key: LetterKey, userID: String, email: String?, subject: String, body: String) {
        self.key = key
        self.userID = userID
        self.email = email
        self.subject = subject
        self.body = body
    }

    /// Where the buyer is reached: the e-mail address, or the user id where there is none.
    package var recipient: String { email ?? userID }
}
