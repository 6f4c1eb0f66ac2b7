import Curl
import Foundation
import Testing

extension `A client for HTTP` {
    @Suite(.timeLimit(.minutes(1)))
    struct `Calls over HTTP` {
        @Test func `what is sent is what was said, and nothing else`() async throws {
            try await RawServer.run { peer in
                try await peer.serve {
                    try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: \($0.utf8.count)\r\n\r\n\($0)")
                }
            } while: { server in
                try await withClient { client in
                    var request = CurlRequest("PATCH", server.url("/a/../b?c=%20d"), body: Data("x=1".utf8))
                    request.headers = ["X-One": "1", "x-Two": "", "X-Blank": "  ", "X-One": "naïve"]
                    let host = "Host: 127.0.0.1:\(server.port)"
                    let expected = """
                        PATCH /a/../b?c=%20d HTTP/1.1\r\n\(host)\r\nX-One: 1\r\nx-Two:\r\nX-Blank:\r\nX-One: naïve\r\n\
                        Content-Length: 3\r\n\r\nx=1
                        """
                    let echo = try await client.send(request).text
                    #expect(echo == expected)
                    for (method, rest) in [("GET", ""), ("POST", "Content-Length: 0\r\n"), ("DELETE", "")] {
                        let echo = try await client.send(CurlRequest(method, server.url())).text
                        #expect(echo == "\(method) / HTTP/1.1\r\n\(host)\r\n\(rest)\r\n")
                    }
                }
            }
        }

        @Test func `an answer is handed on with its head, whatever its status`() async throws {
            try await RawServer.run { peer in
                _ = try await peer.request()
                try await peer.say(
                    "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
                try await peer.say("HTTP/1.1 503 Busy now\r\nSet-Cookie: a=1\r\nset-cookie:b=2 \r\nRetry-After: 7\r\n")
                try await peer.say(
                    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
                try await peer.hangUp()
            } while: { server in
                try await withClient { client in
                    let response = try await client.send(.get(server.url()))
                    #expect(response.status == 503)
                    #expect(response.text == "abcde")
                    #expect(response.headers.values(of: "SET-COOKIE") == ["a=1", "b=2"])
                    #expect(response.headers["retry-after"] == "7")
                    #expect(response.headers["x-early"] == nil)
                    #expect(response.head.version == .http1)
                }
            }
        }

        @Test func `calls one after the other go over one connection`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { _ in try await peer.say(ok) }
            } while: { server in
                try await withClient { client in
                    for number in 0..<20 {
                        let response = try await client.send(.get(server.url()))
                        #expect(response.head.isReused == (number > 0))
                    }
                }
                #expect(server.connections == 1)
            }
        }

        @Test func `many callers each get their own answer`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { request in
                    let path = request.split(separator: " ")[1]
                    try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: \(path.count)\r\n\r\n\(path)")
                }
            } while: { server in
                try await withClient { client in
                    try await withThrowingTaskGroup { group in
                        for number in 0..<300 {
                            group.addTask {
                                let response = try await client.send(.get(server.url("/\(number)")))
                                #expect(response.text == "/\(number)")
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                #expect(server.connections <= 32)
            }
        }

        @Test func `answers without a body have none`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { request in
                    let isHead = request.hasPrefix("HEAD")
                    try await peer.say(
                        isHead ? "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" : "HTTP/1.1 204 No\r\n\r\n")
                }
            } while: { server in
                try await withClient { client in
                    let head = try await client.send(CurlRequest("HEAD", server.url()))
                    #expect(head.headers["content-length"] == "9000000")
                    #expect(head.body.isEmpty)
                    #expect(try await client.send(.get(server.url())).status == 204)
                }
                #expect(server.connections == 1)
            }
        }

        @Test func `a body of a megabyte goes there and back`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { request in
                    let body = request.split(separator: "\r\n\r\n", maxSplits: 1)[1]
                    try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
                }
            } while: { server in
                try await withClient { client in
                    let text = String(repeating: "0123456789abcdef", count: 65_536)
                    let echo = try await client.send(.post(server.url(), text)).text
                    #expect(echo == text)
                }
            }
        }

        @Test func `a body is decompressed only when that was asked for`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { request in
                    let isAsked = request.contains("Accept-Encoding: gzip, deflate\r\n")
                    let zeros = Gzip.zeros
                    try await peer.say("HTTP/1.1 200 OK\r\nX-Asked: \(isAsked)\r\nContent-Encoding: gzip\r\n")
                    try await peer.say("Content-Length: \(zeros.count)\r\n\r\n")
                    try await peer.say(bytes: zeros)
                }
            } while: { server in
                try await withClient { client in
                    let plain = try await client.send(.get(server.url()))
                    #expect(plain.headers["x-asked"] == "false")
                    #expect(Array(plain.body) == Gzip.zeros)
                    let decoded = try await client.send(.get(server.url()) { $0.decompresses = true })
                    #expect(decoded.headers["x-asked"] == "true")
                    #expect(decoded.body == Data(count: 100_000))
                    let bomb = try await failure {
                        _ = try await client.send(
                            .get(server.url()) {
                                $0.decompresses = true
                                $0.bodyLimit = 99_999
                            })
                    }
                    #expect(bomb.code == .tooLarge)
                }
            }
        }
    }
}
