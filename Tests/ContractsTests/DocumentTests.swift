import ContractDocuments
import Contracts
import Foundation
import Testing

/// What upstream teams read, beside the code that they meet.
struct `The contract's documents` {
    private let openapi: Document
    private let asyncapi: Document

    init() throws {
        openapi = try ContractDocument.openapi.get()
        asyncapi = try ContractDocument.asyncapi.get()
    }

    @Test func `name every kind of message, and no other`() {
        let messages = messages.filter { !["retried", "buried"].contains($0.key) }
        #expect(messages.keys.sorted() == MessageKind.allCases.map(\.rawValue).sorted())
        for (kind, message) in messages {
            #expect(message[["bindings", "amqp", "messageType"]]?.text == kind)
        }
    }

    @Test func `list the words that the code knows`() {
        expect("ProblemCode", is: Problem.Code.allCases.map(\.rawValue))
        expect("SeatsRefused", "properties", "reason", is: SeatsRefused.Reason.allCases.map(\.rawValue))
        expect("SendNotification", "properties", "template", is: SendNotification.Template.allCases.map(\.rawValue))
        expect("Properties", "properties", "app_id", is: FleetRole.allCases.map(\.rawValue))
    }

    @Test func `show an example of every request and of every answer in JSON`() {
        var count = 0
        for path in openapi["paths"]?.members ?? [] {
            for operation in path.value.members {
                let answers = operation.value["responses"]?.members.map(\.value) ?? []
                for part in answers + [operation.value["requestBody"]].compactMap(\.self) {
                    let whole = part["$ref"]?.text.flatMap {
                        openapi[$0.split(separator: "/").dropFirst().map(String.init)]
                    }
                    for media in (whole ?? part)["content"]?.members ?? [] where media.name.hasSuffix("json") {
                        guard media.value["schema"]?.members.count != 1 || media.value[["schema", "$ref"]] != nil else {
                            continue
                        }
                        count += 1
                        #expect(media.value["examples"]?.members.isEmpty == false, "\(path.name) \(operation.name)")
                    }
                }
            }
        }
        #expect(count > 100)
    }

    @Test func `have the limits that the code has`() {
        expectLength("UserId", 1...Limits.identifierLength)
        expectLength("TierName", 1...Limits.identifierLength)
        expectLength("SeatName", 1...Limits.seatNameLength)
        expectLength("Email", 3...Limits.emailLength)
        expectRange("Quantity", Limits.quantity)
        expectRange("HoldSeconds", Limits.holdSeconds)
        expectLength("StartPurchase.paymentMethod", 1...Limits.paymentMethodLength)
        expectCount("StartPurchase.seats", Limits.quantity)
        expectLength("PublishEvent.name", 1...Limits.textLength)
        expectCount("PublishEvent.tiers", Limits.tiers)
        expectLength("Venue.name", 1...Limits.textLength)
        expectLength("Venue.city", 1...Limits.textLength)
        expectRange("Tier.capacity", Limits.tierCapacity)
        expectRange("Price.minor", Int(Limits.priceMinor.lowerBound)...Int(Limits.priceMinor.upperBound))
        expectCount("StockTier.seats", 1...Limits.seatsPerStockMessage)
        expectLength("ChargePayment.method", 1...Limits.paymentMethodLength)
        #expect(asyncapi[["info", "description"]]?.text?.contains("65,536 bytes") == (Limits.messageBytes == 65_536))
        let key = openapi[["components", "parameters", "IdempotencyKey", "schema"]]
        #expect(key?["maxLength"] == .integer(Limits.idempotencyKeyLength))
        let page = openapi[["components", "parameters", "Limit", "schema"]]
        #expect(page?["minimum"] == .integer(Limits.pageSize.lowerBound))
        #expect(page?["maximum"] == .integer(Limits.pageSize.upperBound))
        let choice = openapi[["components", "schemas", "DeadLetterChoice", "properties", "limit"]]
        #expect(choice?["maximum"] == .integer(Limits.deadLettersAtOnce.upperBound))
    }

    @Test(arguments: ["openapi", "asyncapi"])
    func `refer to nothing that is not in them`(name: String) {
        let whole = name == "openapi" ? openapi : asyncapi
        let references = Self.references(in: whole)
        #expect(references.count > 100)
        for reference in references {
            #expect(reference.hasPrefix("#/"))
            let path = reference.split(separator: "/").dropFirst().map(String.init)
            #expect(whole[path] != nil, "\(reference)")
        }
    }

    @Test(arguments: ["openapi", "asyncapi"])
    func `are the JSON that their YAML says`(name: String) throws {
        let whole = name == "openapi" ? openapi : asyncapi
        let parsed = try JSONSerialization.jsonObject(with: Data(whole.json.utf8)) as? [String: Any]
        #expect(parsed?.keys.sorted() == whole.members.map(\.name).sorted())
        let info = parsed?["info"] as? [String: Any]
        #expect(info?["description"] as? String == whole[["info", "description"]]?.text)
    }

    private var messages: [String: Document] {
        let members = asyncapi[["components", "messages"]]?.members ?? []
        return Dictionary(members.map { ($0.value["name"]?.text ?? "", $0.value) }) { first, _ in first }
    }

    private func schema(_ path: [String]) -> Document? {
        asyncapi[["components", "schemas"] + path]
    }

    private func expect(_ path: String..., is words: [String]) {
        #expect(schema(path)?["enum"]?.items.compactMap(\.text).sorted() == words.sorted(), "\(path)")
    }

    private func expectLength(_ place: String, _ range: ClosedRange<Int>) {
        expect(place, "minLength", "maxLength", range)
    }

    private func expectRange(_ place: String, _ range: ClosedRange<Int>) {
        expect(place, "minimum", "maximum", range)
    }

    private func expectCount(_ place: String, _ range: ClosedRange<Int>) {
        expect(place, "minItems", "maxItems", range)
    }

    /// `place` is a schema, or one of its fields after a dot.
    private func expect(_ place: String, _ least: String, _ most: String, _ range: ClosedRange<Int>) {
        let schema = schema(place.replacing(".", with: ".properties.").split(separator: ".").map(String.init))
        #expect(schema?[least] == .integer(range.lowerBound), "\(place)")
        #expect(schema?[most] == .integer(range.upperBound), "\(place)")
    }

    private static func references(in document: Document) -> [String] {
        document.members.flatMap { $0.name == "$ref" ? [$0.value.text ?? ""] : references(in: $0.value) }
            + document.items.flatMap(references)
    }
}

/// The part of YAML that the documents are written in.
struct `A YAML document` {
    @Test func `keeps its order and tells text from numbers`() throws {
        let yaml = #"""
            b: 1
            a: [1.5, "1", 1.0.0, yes, true, null, 'a''b']
            text: |
              one
              two
            """#
        let document = try Document(yaml: Array(yaml.utf8))
        #expect(
            document.json
                == #"{"b":1,"a":[1.5,"1","1.0.0","yes",true,null,"a'b"],"text":"one\ntwo"}"#)
    }

    @Test(arguments: ["", "a: [", "a: 1\na: 2", "? [a]\n: 1"])
    func `that cannot be read is an error`(yaml: String) {
        #expect(throws: UnreadableDocument.self) { try Document(yaml: Array(yaml.utf8)) }
    }
}
