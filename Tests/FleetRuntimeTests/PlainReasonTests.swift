import Curl
import FleetInspection
import FleetRuntime
import TestKit
import Testing

/// What a screen says of a server that does not answer.
@Suite(.timeLimit(.minutes(1))) struct `A reason in plain words` {
    private static func reason(_ url: String, within limit: Duration = .seconds(20)) async throws -> String {
        let error = try await #require(throws: CurlError.self) {
            try await CurlClient.prompt.send(.prompt("GET", url, within: limit))
        }
        return plainReason(of: error)
    }

    @Test func `says what the system says where nobody listens`() async throws {
        #expect(try await Self.reason("http://127.0.0.1:1/") == "connection refused")
        #expect(try await Self.reason("http://localhost:1/") == "connection refused")
    }

    @Test func `tells a server that hangs up from one that is silent`() async throws {
        try await withFakeServer { client in
            _ = try await client.read(4)
        } _: { port in
            let reason = try await Self.reason("http://127.0.0.1:\(port)/")
            #expect(reason == "the connection was closed without a whole answer")
        }
        try await withFakeServer { client in
            try await client.readToEnd()
        } _: { port in
            let reason = try await Self.reason("http://127.0.0.1:\(port)/", within: .milliseconds(100))
            #expect(reason == "no answer in time")
        }
    }

    @Test func `names the mistake in an address`() async throws {
        #expect(try await Self.reason("nonsense") == "the URL names no host")
        #expect(try await Self.reason("ftp://127.0.0.1/") == "the URL's scheme is neither http nor https")
    }
}
