/// The documents of the contract, each whole in itself: what it takes from `shapes.yaml` stands among its components.
package enum ContractDocument {
    /// The HTTP routes, OpenAPI 3.1; read on first use.
    package static let openapi = Result<Document, UnreadableDocument> { () throws(UnreadableDocument) in
        try bundle(PackageResources.openapi_yaml)
    }

    /// The messages, AsyncAPI 3.0; read on first use.
    package static let asyncapi = Result<Document, UnreadableDocument> { () throws(UnreadableDocument) in
        try bundle(PackageResources.asyncapi_yaml)
    }

    private static let shapesFile = "shapes.yaml#/"
    private static let home = "#/components/schemas/"

    private static func bundle(_ yaml: [UInt8]) throws(UnreadableDocument) -> Document {
        let shapes = try Document(yaml: PackageResources.shapes_yaml)
        var wanted: [String] = []
        let document = try pointHome(Document(yaml: yaml), from: shapesFile, &wanted)
        var taken: [Document.Member] = []
        while let name = wanted.first(where: { name in !taken.contains { $0.name == name } }) {
            guard let shape = shapes[name] else {
                throw UnreadableDocument(description: "shapes.yaml has no \(name)")
            }
            taken.append(Document.Member(name, try pointHome(shape, from: "#/", &wanted)))
        }
        return try adding(taken.sorted { $0.name < $1.name }, to: document)
    }

    /// Makes every reference that begins with `origin` one to the document's own schemas, and notes its name.
    private static func pointHome(
        _ document: Document, from origin: String, _ names: inout [String]
    ) throws(UnreadableDocument) -> Document {
        var found: [String] = []
        let result = try document.mapObjects { (members) throws(UnreadableDocument) in
            members.map { member in
                guard member.name == "$ref", let target = member.value.text, target.hasPrefix(origin)
                else { return member }
                let name = String(target.dropFirst(origin.count))
                found.append(name)
                return Document.Member("$ref", .text(home + name))
            }
        }
        names += found
        return result
    }

    private static func adding(
        _ shapes: [Document.Member], to document: Document
    ) throws(UnreadableDocument) -> Document {
        let own = document[["components", "schemas"]]?.members ?? []
        if let twice = own.first(where: { member in shapes.contains { $0.name == member.name } }) {
            throw UnreadableDocument(description: "\(twice.name) is a schema and a shape")
        }
        return document.replacing("components") { $0.replacing("schemas") { _ in .object(own + shapes) } }
    }
}

extension Document {
    fileprivate func replacing(_ name: String, with change: (Document) -> Document) -> Document {
        .object(members.map { $0.name == name ? Member(name, change($0.value)) : $0 })
    }
}
