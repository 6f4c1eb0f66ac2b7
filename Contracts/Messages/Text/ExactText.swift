/// Text that is equal to the same code points only, as PostgreSQL compares it.
///
/// Swift takes `é` in one code point and in two for the same text. What a database holds apart must be held apart here
/// too, or one of two rows is lost, and what it is not found by would be taken for found.
package struct ExactText: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { text }

    package static func == (left: ExactText, right: ExactText) -> Bool {
        left.text == right.text && left.text.utf8.elementsEqual(right.text.utf8)
    }

    /// Texts that differ only in their form may share a hash.
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    package static func < (left: ExactText, right: ExactText) -> Bool {
        left.text == right.text ? left.text.utf8.lexicographicallyPrecedes(right.text.utf8) : left.text < right.text
    }
}
