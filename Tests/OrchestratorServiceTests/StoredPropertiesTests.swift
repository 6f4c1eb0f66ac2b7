import Contracts
import RabbitMQ
import TestKit
import Testing
import WireJSON

@testable import Operations
@testable import OrchestratorService

@Suite struct `A dead letter's properties` {
    /// One letter that could not be filed would keep all others from being filed.
    @Test(arguments: Poison.all) func `are what they were, and JSON that jsonb can hold`(poison: Poison) throws {
        let text = poison.text
        let properties = Properties(
            messageID: text, correlationID: "\(text)\\0", type: text, replyTo: text, applicationID: text,
            contentType: text, timestamp: 7, headers: ["x\(text)": .string(text), "back\\slash": .string("\\")])
        let stored = try WireFormat.text(StoredProperties(properties))
        #expect(!stored.contains(#"\u0000"#) || text.contains(#"\u0000"#))
        let read = try WireFormat.decode(StoredProperties.self, fromText: stored).properties
        #expect(read == properties)
        #expect(read.correlationID.map { Array($0.utf8) } == properties.correlationID.map { Array($0.utf8) })
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1.5])
    func `can be stored whatever number is in the headers`(number: Double) throws {
        let properties = Properties(messageID: "m", headers: ["x": .double(number), "y": .integer(1)])
        let text = try WireFormat.text(StoredProperties(properties))
        let read = try WireFormat.decode(StoredProperties.self, fromText: text).properties
        #expect(read.headers["y"] == .integer(1))
        #expect(read.headers["x"] == (number.isFinite ? .double(number) : .string("\(number)")))
    }
}
