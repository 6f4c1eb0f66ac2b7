import Curl
import Foundation
import Testing

extension `A client for HTTP` {
    @Suite(.timeLimit(.minutes(1)))
    struct `Servers that misbehave` {
        /// What a server does once it has the request, and what a caller is told then.
        struct Fault: Sendable, CustomTestStringConvertible {
            let name: String
            let code: CurlError.Code
            let act: @Sendable (Peer) async throws -> Void

            init(_ name: String, _ code: CurlError.Code, _ act: @escaping @Sendable (Peer) async throws -> Void) {
                self.name = name
                self.code = code
                self.act = act
            }

            var testDescription: String { name }
        }

        static let faults = [
            Fault("says nothing", .timedOut) { try await $0.hangUp() },
            Fault("stalls in the status line", .timedOut) { peer in
                try await peer.say("HTTP/1.1 2")
                try await peer.hangUp()
            },
            Fault("stalls in the head", .timedOut) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-More: ")
                try await peer.hangUp()
            },
            Fault("stalls in the body", .timedOut) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                try await peer.hangUp()
            },
            Fault("stalls in a chunk", .timedOut) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf")
                try await peer.hangUp()
            },
            Fault("drips without an end", .timedOut) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while true {
                    try await peer.say("x")
                    try await Task.sleep(for: .milliseconds(20))
                }
            },
            Fault("drips a head without an end", .timedOut) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\n")
                while true {
                    try await peer.say("X: y\r\n")
                    try await Task.sleep(for: .milliseconds(20))
                }
            },
            Fault("hangs up before the head", .connectionReset) { _ in },
            Fault("hangs up in the head", .connectionReset) { try await $0.say("HTTP/1.1 200 OK\r\nContent-Le") },
            Fault("hangs up in the body", .connectionReset) {
                try await $0.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            },
            Fault("hangs up before the last chunk", .connectionReset) {
                try await $0.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
            },
            Fault("resets at once", .connectionReset) { try await $0.reset() },
            Fault("resets in the head", .connectionReset) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\nContent-Le")
                try await peer.reset()
            },
            Fault("resets in the body", .connectionReset) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                try await peer.reset()
            },
            Fault("speaks HTTP/0.9", .protocolViolation) { try await $0.say("hello\r\nthere\r\n") },
            Fault("speaks another protocol", .protocolViolation) { try await $0.say("SSH-2.0-OpenSSH_9.2\r\n\r\n") },
            Fault("says a status that is none", .protocolViolation) { try await $0.say("HTTP/1.1 abc OK\r\n\r\n") },
            Fault("says chunks that are none", .protocolViolation) {
                try await $0.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n")
            },
            Fault("says a chunk too large for a number", .protocolViolation) {
                try await $0.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\nhalf\r\n")
            },
            Fault("says a length that is none", .protocolViolation) {
                try await $0.say("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello")
            },
            Fault("announces more than is allowed", .tooLarge) {
                try await $0.say("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n")
                try await $0.hangUp()
            },
            Fault("announces more than a number can hold", .tooLarge) {
                try await $0.say("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n")
                try await $0.hangUp()
            },
            Fault("sends a head without an end", .tooLarge) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\n")
                while true { try await peer.say("X-More: \(String(repeating: "y", count: 1_000))\r\n") }
            },
            Fault("sends one header without an end", .tooLarge) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\nX-More: ")
                while true { try await peer.say(String(repeating: "y", count: 10_000)) }
            },
            Fault("sends interim answers without an end", .tooLarge) { peer in
                while true { try await peer.say("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n") }
            },
            Fault("sends a body without an end", .tooLarge) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\n\r\n")
                while true { try await peer.say(String(repeating: "y", count: 10_000)) }
            },
            Fault("sends chunks without an end", .tooLarge) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while true { try await peer.say("2710\r\n\(String(repeating: "y", count: 10_000))\r\n") }
            },
            Fault("sends trailers without an end", .tooLarge) { peer in
                try await peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
                while true { try await peer.say("X-More: \(String(repeating: "y", count: 1_000))\r\n") }
            },
        ]

        @Test(arguments: faults) func `a server that`(fault: Fault) async throws {
            try await RawServer.run { peer in
                _ = try await peer.request()
                try await fault.act(peer)
            } while: { server in
                try await withClient { client in
                    let limit: Duration = fault.code == .timedOut ? .milliseconds(300) : .seconds(20)
                    let began = ContinuousClock.now
                    for request in [CurlRequest.get(server.url()), .post(server.url(), "x")] {
                        let error = try await failure {
                            var request = request
                            request.timeout = limit
                            _ = try await client.send(request)
                        }
                        #expect(error.code == fault.code, "\(error)")
                        #expect(error.mayHaveBeenSent)
                        #expect(!error.detail.isEmpty)
                        #expect(error.operation.hasSuffix("http://127.0.0.1:\(server.port)"))
                    }
                    #expect(ContinuousClock.now - began < .seconds(10))
                }
            }
        }

        @Test func `more bytes than were announced are not taken for the next answer`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { _ in
                    try await peer.say("\(ok)HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
                }
            } while: { server in
                try await withClient { client in
                    for _ in 0..<3 {
                        let response = try await client.send(.get(server.url()))
                        #expect(response.text == "ok")
                    }
                }
                #expect(server.connections == 3)
            }
        }

        @Test func `a request that must not be repeated is not, when a kept connection ends without an answer`()
            async throws
        {
            let requests = Counter()
            try await RawServer.run { peer in
                _ = try await peer.request()
                requests.increment()
                try await peer.say(ok)
                _ = try await peer.request()
                requests.increment()
            } while: { server in
                try await withClient { client in
                    _ = try await client.send(.get(server.url()))
                    let error = try await failure { _ = try await client.send(.post(server.url(), "pay")) }
                    #expect(error.code == .connectionReset)
                    #expect(error.mayHaveBeenSent)
                    #expect(requests.value == 2)
                }
            }
        }

        @Test func `a request that may be repeated is, when a kept connection ends without an answer`() async throws {
            try await RawServer.run { peer in
                _ = try await peer.request()
                try await peer.say(ok)
                _ = try await peer.request()
            } while: { server in
                try await withClient { client in
                    _ = try await client.send(.get(server.url()))
                    let response = try await client.send(.post(server.url(), "x") { $0.isRepeatable = true })
                    #expect(response.text == "ok")
                }
                #expect(server.connections == 2)
            }
        }
    }
}
