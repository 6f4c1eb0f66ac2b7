import ContractDocuments

/// The HTTP routes as one page for people, which needs no script and nothing from elsewhere.
struct DocsPage {
    private let document: Document
    private let style: String

    init(of document: Document, style: String) {
        self.document = document
        self.style = style
    }

    /// One route with one method.
    private struct Operation {
        let method: String
        let path: String
        let content: Document

        var id: String { content["operationId"]?.text ?? "" }
        var summary: String { content["summary"]?.text ?? "" }
        var tags: [String] { content["tags"]?.items.compactMap(\.text) ?? [] }
    }

    var html: String {
        let title = HTML.escaped(document[["info", "title"]]?.text ?? "")
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title): the HTTP routes</title>
            <style>\(style)</style>
            </head>
            <body>
            <a class="skip" href="#content">Skip to the content</a>
            <nav aria-label="Routes">\(navigation)</nav>
            <main id="content">
            <h1>\(title)</h1>
            \(HTML.prose(document[["info", "description"]]?.text))
            <p>For programs: <a href="/openapi.json">openapi.json</a> (these routes) and
            <a href="/asyncapi.json">asyncapi.json</a> (the messages).</p>
            \(tags.map { section($0, about: $1) }.joined())
            <section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>\(schemas)</section>
            </main>
            </body>
            </html>

            """
    }

    private var tags: [(String, String?)] {
        (document["tags"]?.items ?? []).map { ($0["name"]?.text ?? "", $0["description"]?.text) }
    }

    private var operations: [Operation] {
        (document["paths"]?.members ?? []).flatMap { path in
            path.value.members.map { Operation(method: $0.name.uppercased(), path: path.name, content: $0.value) }
        }
    }

    private var navigation: String {
        tags.map { tag, _ in
            let entries = operations.filter { $0.tags.contains(tag) }.map { operation in
                """
                <li><a href="#\(operation.id)"><b>\(operation.method)</b> \(HTML.escaped(operation.path))</a></li>
                """
            }
            return "<h2>\(HTML.escaped(tag))</h2><ul>\(entries.joined())</ul>"
        }.joined() + "<h2><a href=\"#schemas\">schemas</a></h2>"
    }

    private func section(_ tag: String, about description: String?) -> String {
        let shown = operations.filter { $0.tags.contains(tag) }.map(article).joined()
        return """
            <section aria-labelledby="tag-\(tag)"><h2 id="tag-\(tag)">\(HTML.escaped(tag))</h2>
            \(HTML.prose(description))\(shown)</section>
            """
    }

    private func article(_ operation: Operation) -> String {
        let key = operation.content["security"] == nil ? "" : "<p>Wants an operator key.</p>"
        return """
            <article aria-labelledby="\(operation.id)">
            <h3 id="\(operation.id)"><code><b>\(operation.method)</b> \(HTML.escaped(operation.path))</code></h3>
            <p>\(HTML.inline(operation.summary))</p>
            \(HTML.prose(operation.content["description"]?.text))\(key)
            \(parameters(of: operation))\(body(of: operation))\(responses(of: operation))\(samples(of: operation))
            </article>
            """
    }

    private func parameters(of operation: Operation) -> String {
        let rows = (operation.content["parameters"]?.items ?? []).map { reference -> [String] in
            let parameter = resolved(reference)
            let isRequired = parameter["required"] == .flag(true)
            return [
                "<code>\(HTML.escaped(parameter["name"]?.text ?? ""))</code>",
                HTML.escaped(parameter["in"]?.text ?? "") + (isRequired ? ", required" : ""),
                SchemaWords.of(parameter["schema"]), HTML.inline(parameter["description"]?.text ?? ""),
            ]
        }
        return HTML.table("Parameters", ["name", "in", "value", "about"], rows)
    }

    private func body(of operation: Operation) -> String {
        guard let body = operation.content["requestBody"] else { return "" }
        let rows = (resolved(body)["content"]?.members ?? []).map { [$0.name, SchemaWords.of($0.value["schema"])] }
        return HTML.table("Body", ["type", "value"], rows)
    }

    private func responses(of operation: Operation) -> String {
        let rows = (operation.content["responses"]?.members ?? []).map { member -> [String] in
            let response = resolved(member.value)
            let schemas = (response["content"]?.members ?? []).map { SchemaWords.of($0.value["schema"]) }
            return [
                "<code>\(member.name)</code>", HTML.inline(response["description"]?.text ?? ""),
                schemas.joined(separator: ", "),
            ]
        }
        return HTML.table("Answers", ["status", "means", "value"], rows)
    }

    /// A sample of the request and of the answer to a right one, as JSON.
    private func samples(of operation: Operation) -> String {
        let answers = (operation.content["responses"]?.members ?? []).filter { $0.name.hasPrefix("2") }
        let parts = [("Sample", operation.content["requestBody"])] + answers.map { ("Sample of \($0.name)", $0.value) }
        return parts.flatMap { caption, part in
            (part.map(resolved)?["content"]?.members ?? []).compactMap { media in
                media.value["examples"]?.members.first.map { sample in
                    let text = resolved(sample.value)["value"]?.json ?? ""
                    return "<p>\(caption):</p><pre><code>\(HTML.escaped(text))</code></pre>"
                }
            }
        }.joined()
    }

    private var schemas: String {
        (document[["components", "schemas"]]?.members ?? []).map { schema in
            let rows = SchemaWords.rows(of: schema.value)
            return """
                <article aria-labelledby="schema-\(schema.name)"><h3 id="schema-\(schema.name)">\(schema.name)</h3>
                \(rows.isEmpty ? "<p>\(SchemaWords.of(schema.value))</p>" : "")\
                \(HTML.prose(schema.value["description"]?.text))\
                \(HTML.table("Fields", ["name", "value", "about"], rows))</article>
                """
        }.joined()
    }

    /// What a reference into this document refers to; what is none, as it is.
    private func resolved(_ value: Document) -> Document {
        guard let target = value["$ref"]?.text else { return value }
        return document[target.split(separator: "/").dropFirst().map(String.init)] ?? value
    }
}
