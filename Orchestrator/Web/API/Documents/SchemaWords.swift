import ContractDocuments

/// A JSON Schema in a few words of HTML.
enum SchemaWords {
    /// Such as `string, 1 to 128 characters`, with a link to every schema that has a name.
    static func of(_ schema: Document?) -> String {
        guard let schema else { return "" }
        if let target = schema["$ref"]?.text {
            let name = target.split(separator: "/").last.map(String.init) ?? target
            return "<a href=\"#schema-\(name)\">\(name)</a>"
        }
        if let choices = (schema["anyOf"] ?? schema["allOf"])?.items, !choices.isEmpty {
            return choices.map(of).joined(separator: " or ")
        }
        if let values = schema["enum"]?.items {
            return values.map { "<code>\(HTML.escaped(word($0)))</code>" }.joined(separator: ", ")
        }
        if let value = schema["const"] { return "<code>\(HTML.escaped(word(value)))</code>" }
        return ([type(of: schema)] + limits(of: schema)).filter { !$0.isEmpty }.joined(separator: ", ")
    }

    /// The fields of an object: name, value, description.
    static func rows(of schema: Document) -> [[String]] {
        let required = Set(schema["required"]?.items.compactMap(\.text) ?? [])
        return (schema["properties"]?.members ?? []).map { field in
            [
                "<code>\(HTML.escaped(field.name))</code>\(required.contains(field.name) ? " (required)" : "")",
                of(field.value), HTML.inline(field.value["description"]?.text ?? ""),
            ]
        }
    }

    private static func type(of schema: Document) -> String {
        let types = (schema["type"].map { $0.items.isEmpty ? [$0] : $0.items } ?? []).compactMap(\.text)
        return types.map { type in
            switch type {
            case "array": "array of " + (schema["items"].map(of) ?? "anything")
            case "object" where schema["additionalProperties"]?.members.isEmpty == false:
                "object of " + of(schema["additionalProperties"])
            default: type
            }
        }.joined(separator: " or ")
    }

    private static func limits(of schema: Document) -> [String] {
        [
            schema["format"].map(word) ?? "", range(schema, "minLength", "maxLength", of: "characters"),
            range(schema, "minItems", "maxItems", of: "items"), range(schema, "minimum", "maximum", of: ""),
            schema["uniqueItems"] == .flag(true) ? "all different" : "",
            schema["default"].map { "by default \(word($0))" } ?? "",
            schema["pattern"].map { "matching <code>\(HTML.escaped(word($0)))</code>" } ?? "",
            schema["examples"].map { "such as \(HTML.escaped($0.items.map(word).joined(separator: ", ")))" } ?? "",
        ]
    }

    private static func range(_ schema: Document, _ least: String, _ most: String, of things: String) -> String {
        let words =
            switch (schema[least].map(word), schema[most].map(word)) {
            case (let least?, let most?): "\(least) to \(most)"
            case (let least?, nil): "at least \(least)"
            case (nil, let most?): "at most \(most)"
            case (nil, nil): ""
            }
        return words.isEmpty || things.isEmpty ? words : "\(words) \(things)"
    }

    private static func word(_ value: Document) -> String { value.text ?? value.json }
}
