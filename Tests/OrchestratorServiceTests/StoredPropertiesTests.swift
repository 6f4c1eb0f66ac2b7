import Contracts
import RabbitMQ
import Testing

@testable import OrchestratorService

@Suite struct `A dead letter's properties` {
    /// One letter that could not be filed would keep all others from being filed.
    @Test(arguments: [Double.nan, .infinity, -.infinity, 1.5])
    func `can be stored whatever number is in the headers`(number: Double) throws {
        let properties = Properties(messageID: "m", headers: ["x": .double(number), "y": .integer(1)])
        let text = try WireFormat.text(StoredProperties(properties))
        let read = try WireFormat.decode(StoredProperties.self, fromText: text).properties
        #expect(read.headers["y"] == .integer(1))
        #expect(read.headers["x"] == (number.isFinite ? .double(number) : .string("\(number)")))
    }
}
