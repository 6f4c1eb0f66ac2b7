import FoundationEssentials

/// The values of a text as Swift's.
extension JSONText {
    /// - Throws: `DecodingError` with the place of what does not fit.
    package func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try value(type, at: 0)
    }

    package func value<Value: Decodable>(_ type: Value.Type, at index: Int) throws -> Value {
        if type == Date.self, let date = try date(at: index) as? Value { return date }
        return try Value(from: JSONReader(text: self, index: index))
    }

    /// Whether a value is a string that breaks `TextRule`.
    package func isForbiddenText(at index: Int) -> Bool {
        let node = nodes[index]
        switch node.kind {
        case .escapedString: return !TextRule.permits(text(of: index))
        case .string:
            // The parser lets no C0 control character through, so only DEL and what is no ASCII must be looked at.
            let isPlain = bytes[Int(node.start)..<Int(node.end)].allSatisfy { $0 < 0x7F }
            return !isPlain && !TextRule.permits(text(of: index))
        case .object, .array, .number, .yes, .no, .null: return false
        }
    }

    package func isNull(at index: Int) -> Bool { nodes[index].kind == .null }

    func bool(at index: Int) throws -> Bool {
        switch nodes[index].kind {
        case .yes: true
        case .no: false
        case .object, .array, .string, .escapedString, .number, .null: throw misfit(Bool.self, at: index)
        }
    }

    func string(at index: Int) throws -> String {
        switch nodes[index].kind {
        case .string, .escapedString: text(of: index)
        case .object, .array, .number, .yes, .no, .null: throw misfit(String.self, at: index)
        }
    }

    /// A number without a fraction, however it is written.
    func integer<Value: FixedWidthInteger>(_ type: Value.Type, at index: Int) throws -> Value {
        guard nodes[index].kind == .number else { throw misfit(type, at: index) }
        let literal = literal(of: index)
        if let value = Value(literal) { return value }
        guard let value = Double(literal).flatMap({ Value(exactly: $0) }) else { throw misfit(type, at: index) }
        return value
    }

    func float<Value: BinaryFloatingPoint & LosslessStringConvertible>(
        _ type: Value.Type, at index: Int
    ) throws -> Value {
        guard nodes[index].kind == .number, let value = Value(literal(of: index)), value.isFinite else {
            throw misfit(type, at: index)
        }
        return value
    }

    private func date(at index: Int) throws -> Date {
        let text = try string(at: index)
        guard let date = WireFormat.date(from: text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: path(to: index), debugDescription: "\"\(text.prefix(60))\" is not RFC 3339"))
        }
        return date
    }

    func misfit(_ type: any Any.Type, at index: Int) -> DecodingError {
        let context = DecodingError.Context(codingPath: path(to: index), debugDescription: "this is no \(type)")
        return isNull(at: index) ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }
}
