import Curl
import Foundation
import Testing

extension `A client for HTTP` {
    @Suite(.timeLimit(.minutes(1)))
    struct `Limits of a client` {
        @Test func `an address that does not answer costs the time for connecting`() async throws {
            try await withClient { client in
                // 192.0.2.0/24 leads nowhere; where there is no route at all, that is said at once.
                let error = try await failure {
                    _ = try await client.send(
                        .post("http://192.0.2.1/", "x") { $0.connectTimeout = .milliseconds(200) })
                }
                #expect(error.code == .timedOut || error.code == .couldNotConnect, "\(error)")
                #expect(!error.mayHaveBeenSent)
                #expect(error.isTransient)
            }
        }

        @Test func `a port that nobody listens on, and a name that nobody has, are told apart`() async throws {
            try await withClient { client in
                let closed = try await failure { _ = try await client.send(.post("http://127.0.0.1:1/", "x")) }
                #expect(closed.code == .couldNotConnect)
                #expect(closed.detail == "connection refused")
                #expect(!closed.mayHaveBeenSent)
                let unknown = try await failure { _ = try await client.send(.get("http://nobody.invalid/")) }
                #expect(unknown.code == .couldNotResolve || unknown.code == .timedOut, "\(unknown)")
                #expect(!unknown.mayHaveBeenSent)
            }
        }

        @Test func `silence ends a call, a slow answer does not`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { request in
                    try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
                    for _ in 0..<8 {
                        try await peer.say("x")
                        try await Task.sleep(for: .milliseconds(request.contains("/slow") ? 300 : 60_000))
                    }
                }
            } while: { server in
                try await withClient { client in
                    let slow = try await client.send(.get(server.url("/slow")) { $0.silence = .seconds(2) })
                    #expect(slow.text == "xxxxxxxx")
                    let error = try await failure {
                        _ = try await client.send(.get(server.url("/silent")) { $0.silence = .milliseconds(200) })
                    }
                    #expect(error.code == .timedOut)
                    #expect(error.detail == "nothing came for too long")
                }
            }
        }

        @Test func `cancelling a task ends its transfer at once, and the server sees it`() async throws {
            let begun = Signal()
            let ended = Signal()
            try await RawServer.run { peer in
                _ = try await peer.request()
                begun.fire()
                try await peer.hangUp()
                ended.fire()
            } while: { server in
                try await withClient { client in
                    let call = Task { try await client.send(.post(server.url(), "x")) }
                    await begun.wait()
                    call.cancel()
                    let error = try await failure { _ = try await call.value }
                    #expect(error.code == .cancelled)
                    #expect(error.mayHaveBeenSent)
                    await ended.wait()
                    let late = Task {
                        while !Task.isCancelled { await Task.yield() }
                        return try await client.send(.get(server.url()))
                    }
                    late.cancel()
                    #expect(try await failure { _ = try await late.value }.code == .cancelled)
                }
            }
        }

        @Test func `closing a client ends its calls`() async throws {
            let begun = Signal()
            try await RawServer.run { peer in
                _ = try await peer.request()
                begun.fire()
                try await peer.hangUp()
            } while: { server in
                try await withClient { client in
                    let call = Task { try await client.send(.get(server.url())) }
                    await begun.wait()
                    await client.close()
                    let ended = try await failure { _ = try await call.value }
                    let late = try await failure { _ = try await client.send(.get(server.url())) }
                    #expect(ended.code == .closed && ended.mayHaveBeenSent)
                    #expect(late.code == .closed && !late.mayHaveBeenSent)
                }
            }
        }

        @Test func `a slow origin leaves room for others, and waiting calls are bounded`() async throws {
            let begun = Signal()
            try await RawServer.run { peer in
                _ = try await peer.request()
                begun.fire()
                try await peer.hangUp()
            } while: { slow in
                try await RawServer.run { peer in
                    try await peer.serve { _ in try await peer.say(ok) }
                } while: { quick in
                    try await withClient {
                        $0.transferLimit = 3
                        $0.transferLimitPerOrigin = 1
                        $0.waitingLimit = 1
                    } _: { client in
                        let first = Task { try await client.send(.get(slow.url())) }
                        await begun.wait()
                        let waiting = try await failure {
                            _ = try await client.send(.post(slow.url(), "x") { $0.timeout = .milliseconds(200) })
                        }
                        #expect(waiting.code == .timedOut)
                        #expect(!waiting.mayHaveBeenSent)
                        #expect(slow.connections == 1)
                        #expect(try await client.send(.get(quick.url())).text == "ok")
                        // One more may wait, so one of two is refused.
                        async let second = failure {
                            _ = try await client.send(.get(slow.url()) { $0.timeout = .milliseconds(300) })
                        }
                        let third = try await failure {
                            _ = try await client.send(.get(slow.url()) { $0.timeout = .milliseconds(300) })
                        }
                        let errors = try await [second, third]
                        #expect(Set(errors.map { "\($0.code)" }) == ["timedOut", "overloaded"])
                        #expect(errors.allSatisfy { !$0.mayHaveBeenSent })
                        first.cancel()
                        _ = await first.result
                    }
                }
            }
        }
    }
}
