import Foundation
import FoundationNetworking
import Logging
import Testing

@testable import RabbitMQ

/// The broker the tests may use, if the environment names one.
enum Broker {
    static let url = ProcessInfo.processInfo.environment["AMQP_URL"]
    static let managementURL = ProcessInfo.processInfo.environment["AMQP_MANAGEMENT_URL"]

    static func configuration(name: String = "test-\(UUID().uuidString)") throws -> BrokerConfiguration {
        try BrokerConfiguration(url: try #require(url), connectionName: name)
    }

    static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Runs the body with a quorum queue of its own, which is deleted afterwards.
    static func withQueue<Result>(
        _ arguments: FieldTable = [:],
        _ body: (_ queue: String, _ administrator: Administrator) async throws -> Result
    ) async throws -> Result {
        let administrator = Administrator(try configuration(), logger: logger)
        try await administrator.open()
        let queue = "test-\(UUID().uuidString)"
        var arguments = arguments
        arguments["x-queue-type"] = arguments["x-queue-type"] ?? .string("quorum")
        try await administrator.declareQueue(queue, arguments: arguments)
        do {
            let result = try await body(queue, administrator)
            try await administrator.deleteQueue(queue)
            await administrator.close()
            return result
        } catch {
            try await administrator.open()
            try await administrator.deleteQueue(queue)
            await administrator.close()
            throw error
        }
    }

    static func withPublisher<Result>(
        _ configuration: BrokerConfiguration? = nil, _ body: (Publisher) async throws -> Result
    ) async throws -> Result {
        let publisher = Publisher(try configuration ?? self.configuration(), logger: logger)
        try await publisher.open()
        let result = try await body(publisher)
        await publisher.close()
        return result
    }

    static func withConsumer<Result>(
        of queue: String, prefetch: UInt16 = 1000, _ configuration: BrokerConfiguration? = nil,
        _ body: (Consumer) async throws -> Result
    ) async throws -> Result {
        let consumer = Consumer(
            try configuration ?? self.configuration(), queue: queue, prefetch: prefetch, logger: logger)
        try await consumer.open()
        let result = try await body(consumer)
        await consumer.close()
        return result
    }

    static func message(
        _ body: String, to queue: String, id: String = UUID().uuidString, headers: FieldTable = [:]
    ) -> Publication {
        Publication(
            exchange: "", routingKey: queue, isMandatory: true,
            properties: Properties(messageID: id, headers: headers), body: Data(body.utf8))
    }

    /// Has the broker close the connections of that name, once it knows them.
    static func closeConnections(named name: String, atLeast count: Int) async throws {
        var closed = 0
        while closed < count {
            let list = try await call("GET", "connections")
            let connections = try #require(try JSONSerialization.jsonObject(with: list) as? [[String: Any]])
            for connection in connections {
                let properties = connection["client_properties"] as? [String: Any]
                guard properties?["connection_name"] as? String == name, let id = connection["name"] as? String,
                    let path = id.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
                else { continue }
                _ = try await call("DELETE", "connections/\(path)")
                closed += 1
            }
            // The broker lists a connection some time after it was opened, and offers no way to wait for that.
            if closed < count { try await Task.sleep(for: .milliseconds(100)) }
        }
    }

    private static func call(_ method: String, _ path: String) async throws -> Data {
        let address = try #require(managementURL)
        var parts = try #require(URLComponents(string: address))
        let credentials = "\(parts.user ?? "guest"):\(parts.password ?? "guest")"
        (parts.user, parts.password) = (nil, nil)
        parts.percentEncodedPath = "/api/\(path)"
        var request = URLRequest(url: try #require(parts.url))
        request.httpMethod = method
        request.setValue("Basic \(Data(credentials.utf8).base64EncodedString())", forHTTPHeaderField: "Authorization")
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = try #require(response as? HTTPURLResponse).statusCode
        try #require((200..<300).contains(status), "\(method) \(path): \(status)")
        return data
    }
}

/// The code of the broker error that the body throws.
func brokerError(_ body: () async throws -> Void) async throws -> BrokerError {
    do {
        try await body()
    } catch let error as BrokerError {
        return error
    }
    throw NothingThrown()
}

struct NothingThrown: Error {}
