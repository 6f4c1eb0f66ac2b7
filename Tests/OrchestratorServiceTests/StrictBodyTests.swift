import Contracts
import Foundation
import Testing
import WireJSON

@testable import OrchestratorService

/// What is wrong with a request's body, and where.
@Suite struct `A strict body` {
    private struct Wish: Decodable {
        struct Part: Decodable { let name: String }
        let quantity: Int
        let parts: [Part]
    }

    private static let fields = FieldTree.object([
        "quantity": .value, "parts": .list(.object(["name": .value])),
    ])

    private static func mistakes(in body: String) -> [String] {
        do {
            _ = try StrictBody.read(Wish.self, from: Data(body.utf8), fields: fields)
            return []
        } catch {
            return (error.errors ?? []).map { "\($0.pointer) \($0.detail)" }
        }
    }

    @Test(arguments: [
        (#"{"quantity":1,"parts":[{"name":"a"}]}"#, []),
        (#"{"quantity":1,"quantity":2,"parts":[]}"#, ["/quantity must not come twice"]),
        (#"{"quantity":1,"quantity":1e400,"parts":[]}"#, ["/quantity must not come twice"]),
        (#"{"quantity":1,"quant\u0069ty":2,"parts":[]}"#, ["/quantity must not come twice"]),
        (#"{"quantity":1,"parts":[{"name":"a"},{"name":"b","name":"c"}]}"#, ["/parts/1/name must not come twice"]),
        (#"{"quantity":1,"parts":[],"price":1}"#, ["/price is not a field of this request"]),
        (#"{"quantity":1,"parts":[{"name":"a\u0000"}]}"#, ["/parts/0/name \(TextRule.demand)"]),
        (#"{"quantity":1,"parts":[{"name":"o\u0092b"},{"name":"b"}]}"#, ["/parts/0/name \(TextRule.demand)"]),
        ("{\"quantity\":1,\"parts\":[{\"name\":\"b\"},{\"name\":\"\u{9B}\"}]}", ["/parts/1/name \(TextRule.demand)"]),
        (#"{"quantity":1,"parts":[{"name":"größer \ud83d\ude00 \u200d"}]}"#, []),
    ])
    func `names a field that is unknown or comes twice`(_ body: String, _ mistakes: [String]) {
        #expect(Self.mistakes(in: body) == mistakes)
    }

    @Test func `names all that is missing, null or of another type at once`() {
        func mistakes(_ body: String) -> [String] {
            do {
                _ = try StrictBody.read(PublishEvent.self, from: Data(body.utf8), fields: PublishEvent.fields)
                return []
            } catch {
                return (error.errors ?? []).map { "\($0.pointer) \($0.detail)" }
            }
        }
        #expect(
            mistakes("{}") == [
                "/name is required", "/startsAt is required", "/tiers is required", "/venue is required",
            ])
        #expect(
            mistakes(#"{"name":7,"startsAt":null,"venue":[],"tiers":[{"name":"A","capacity":"many","price":{}}]}"#) == [
                "/name must be a string", "/venue must be an object", "/tiers/0/capacity must be a whole number",
                "/tiers/0/price/currency is required", "/tiers/0/price/minor is required",
                "/startsAt must not be null",
            ])
    }

    @Test func `names the first mistakes alone, and looks for no more`() {
        for piece in [#""":0,"#, #""price":1,"#, #""quantity":1,"#] {
            let body = "{" + String(repeating: piece, count: 1_000_000 / piece.utf8.count) + #""parts":[]}"#
            #expect((1...20).contains(Self.mistakes(in: body).count))
        }
        let list = #"{"quantity":1,"parts":["# + String(repeating: "0,", count: 400_000) + "0]}"
        #expect(Self.mistakes(in: list).count == 20)
        let name = String(repeating: "n", count: 500_000)
        #expect(Self.mistakes(in: #"{"quantity":1,"parts":[],"\#(name)":1}"#)[0].utf8.count < 1_000)
    }
}
