import Yams

extension Document {
    /// Reads the part of YAML that says what JSON can say.
    ///
    /// Plain `true`, `false`, `null` and numbers are what they look like; every other scalar is text, so that readers
    /// of other dialects of YAML see the same.
    package init(yaml: [UInt8]) throws(UnreadableDocument) {
        let node: Node?
        do {
            node = try Yams.compose(yaml: String(decoding: yaml, as: UTF8.self))
        } catch {
            throw UnreadableDocument(description: "\(error)")
        }
        guard let node else { throw UnreadableDocument(description: "the document is empty") }
        self = try Document(node)
    }

    private init(_ node: Node) throws(UnreadableDocument) {
        switch node {
        case .mapping(let mapping):
            var members: [Member] = []
            for (key, value) in mapping {
                guard case .scalar(let name) = key else {
                    throw UnreadableDocument(description: "a key is no text")
                }
                members.append(Member(name.string, try Document(value)))
            }
            self = .object(members)
        case .sequence(let sequence):
            var items: [Document] = []
            for item in sequence { items.append(try Document(item)) }
            self = .list(items)
        case .scalar(let scalar): self = Document(scalar)
        case .alias: throw UnreadableDocument(description: "there is an alias")
        }
    }

    private init(_ scalar: Node.Scalar) {
        guard scalar.style == .plain else {
            self = .text(scalar.string)
            return
        }
        self =
            switch scalar.string {
            case "true": .flag(true)
            case "false": .flag(false)
            case "null": .null
            default:
                if let integer = Int(scalar.string) {
                    .integer(integer)
                } else if let number = Double(scalar.string), number.isFinite {
                    .number(number)
                } else {
                    .text(scalar.string)
                }
            }
    }
}
