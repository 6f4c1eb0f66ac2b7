import Curl
import Foundation
import Testing

extension `A client for HTTP` {
    @Suite(.timeLimit(.minutes(1)))
    struct `Where a call may go` {
        @Test func `redirects are an answer unless they are asked for`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { request in
                    let path = request.split(separator: " ")[1]
                    let answer =
                        path == "/end"
                        ? ok : "HTTP/1.1 302 Found\r\nLocation: ../end#part\r\nContent-Length: 4\r\n\r\nmove"
                    try await peer.say(answer)
                }
            } while: { server in
                try await withClient { client in
                    let plain = try await client.send(.get(server.url("/a/b")))
                    #expect(plain.status == 302)
                    #expect(plain.text == "move")
                    let followed = try await client.send(.get(server.url("/a/b")) { $0.redirectLimit = 1 })
                    #expect(followed.text == "ok")
                    let posted = try await client.send(.post(server.url("/a/b"), "x") { $0.redirectLimit = 1 })
                    #expect(posted.status == 302)
                    let request = CurlRequest.get(server.url("/a/b")) { $0.redirectLimit = 1 }
                    let streamed = try await client.withResponse(to: request) { $0.head.status }
                    #expect(streamed == 200)
                }
            }
        }

        @Test func `a loop of redirects ends, and a bad one is refused`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { request in
                    let path = request.split(separator: " ")[1].dropFirst()
                    try await peer.say(
                        "HTTP/1.1 307 On\r\nLocation: \(path.removingPercentEncoding ?? "")\r\nContent-Length: 0\r\n\r\n"
                    )
                }
            } while: { server in
                try await withClient { client in
                    for target in [
                        "/loop", "file:///etc/passwd", "ftp://127.0.0.1/", "http://a:b@127.0.0.1/",
                        "gopher://127.0.0.1/",
                        "//", "http://",
                    ] {
                        let path = target.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                        let error = try await failure {
                            let url = target == "/loop" ? server.url("//loop") : server.url("/\(path)")
                            _ = try await client.send(.get(url) { $0.redirectLimit = 5 })
                        }
                        #expect(error.code == .redirectRefused, "\(target): \(error)")
                        #expect(error.mayHaveBeenSent)
                    }
                }
            }
        }

        @Test func `another origin gets no secrets`() async throws {
            try await RawServer.run { peer in
                try await peer.serve {
                    try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: \($0.utf8.count)\r\n\r\n\($0)")
                }
            } while: { other in
                try await RawServer.run { peer in
                    try await peer.serve { _ in
                        try await peer.say("HTTP/1.1 301 On\r\nLocation: \(other.url())\r\nContent-Length: 0\r\n\r\n")
                    }
                } while: { server in
                    try await withClient { client in
                        var request = CurlRequest.get(server.url()) { $0.redirectLimit = 1 }
                        request.headers = ["Authorization": "secret", "X-Key": "secret", "Accept": "text/plain"]
                        let seen = try await client.send(request).text
                        #expect(seen == "GET / HTTP/1.1\r\nHost: 127.0.0.1:\(other.port)\r\nAccept: text/plain\r\n\r\n")
                        request.address = IPAddress("127.0.0.1")
                        let pinned = request
                        let error = try await failure { _ = try await client.send(pinned) }
                        #expect(error.code == .redirectRefused)
                    }
                }
            }
        }

        @Test func `a host is reached at the address that was given for it`() async throws {
            try await RawServer.run { peer in
                try await peer.serve {
                    try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: \($0.utf8.count)\r\n\r\n\($0)")
                }
            } while: { server in
                try await withClient { client in
                    let url = "http://tickets.invalid:\(server.port)/x"
                    let seen = try await client.send(.get(url) { $0.address = IPAddress("127.0.0.1") }).text
                    #expect(seen.contains("Host: tickets.invalid:\(server.port)\r\n"))
                    // The connection is kept for that address only.
                    let unpinned = try await failure {
                        _ = try await client.send(.get(url) { $0.timeout = .seconds(5) })
                    }
                    #expect(unpinned.code == .couldNotResolve || unpinned.code == .timedOut, "\(unpinned)")
                }
            }
        }

        @Test(arguments: ["http://127.0.0.1", "http://localhost", "http://0x7f.1", "http://2130706433", "http://[::1]"])
        func `no connection is made to an address that is not allowed`(origin: String) async throws {
            try await RawServer.run { peer in
                try await peer.serve { _ in try await peer.say(ok) }
            } while: { server in
                try await withClient {
                    $0.addresses = .publicOnly
                } _: { client in
                    let error = try await failure { _ = try await client.send(.get("\(origin):\(server.port)/")) }
                    #expect(error.code == .addressRefused)
                    #expect(!error.mayHaveBeenSent)
                    #expect(!error.isTransient)
                    let pinned = try await failure {
                        let address = IPAddress("::ffff:127.0.0.1")
                        _ = try await client.send(.get("http://example.org:\(server.port)/") { $0.address = address })
                    }
                    #expect(pinned.code == .addressRefused)
                }
                #expect(server.connections == 0)
            }
        }

        @Test func `an own rule judges every address`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { _ in try await peer.say(ok) }
            } while: { server in
                try await withClient {
                    $0.addresses = .those { $0 == IPAddress("127.0.0.1") }
                } _: { client in
                    let response = try await client.send(.get("http://localhost:\(server.port)/"))
                    #expect(response.text == "ok")
                }
            }
        }

        @Test func `a client for TLS refuses anything else`() async throws {
            try await withClient {
                $0.requiresTLS = true
            } _: { client in
                let error = try await failure { _ = try await client.send(.get("http://127.0.0.1:1/")) }
                #expect(error.code == .invalidRequest)
            }
        }
    }
}

extension `A client for HTTP` {
    @Suite(.timeLimit(.minutes(1)))
    struct `Requests that cannot be sent` {
        @Test(arguments: [
            "", "/path", "127.0.0.1:1", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http:///path",
            "http:/path",
            "http:path",
            "http://user@127.0.0.1/", "http://user:password@127.0.0.1/", "http://127.0.0.1/a b",
            "http://127.0.0.1/\r\nX: y",
            "http://127.0.0.1/\0", "http://127.0.0.1\r\n/", "http://127.0.0.1:99999/", "http://127.0.0.1:x/",
            "http://ü.example/", "http://[::1/", "http://a%0d%0ab/",
        ])
        func `a URL that is none is refused`(url: String) async throws {
            try await withClient { client in
                let error = try await failure { _ = try await client.send(.get(url)) }
                #expect(error.code == .invalidRequest)
                #expect(!error.mayHaveBeenSent)
            }
        }

        @Test(arguments: [
            CurlHeaders.Field("", "x"), .init("A b", "x"), .init("A\r\nB", "x"), .init("A:", "x"), .init("Ä", "x"),
            .init("A", "x\r\nB: y"), .init("A", "x\ny"), .init("A", "x\ry"), .init("A", "x\0y"), .init("A", "x\u{7F}"),
            .init("Content-Length", "5"), .init("transfer-encoding", "chunked"), .init("Connection", "close"),
            .init("Upgrade", "h2c"), .init("Expect", "100-continue"),
        ])
        func `a header that would say more than it does is refused`(field: CurlHeaders.Field) async throws {
            try await withClient { client in
                let error = try await failure {
                    var request = CurlRequest.get("http://127.0.0.1:1/")
                    request.headers.add(field.name, field.value)
                    _ = try await client.send(request)
                }
                #expect(error.code == .invalidRequest)
            }
        }

        @Test(arguments: ["", "GET /x HTTP/1.1\r\nX: y\r\n\r\nGET", "G ET", "CONNECT", "GÉT"])
        func `a method that is none is refused`(method: String) async throws {
            try await withClient { client in
                let error = try await failure { _ = try await client.send(CurlRequest(method, "http://127.0.0.1:1/")) }
                #expect(error.code == .invalidRequest)
            }
        }

        @Test func `limits that make no sense do no harm`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { _ in try await peer.say(ok) }
            } while: { server in
                try await withClient {
                    $0.transferLimit = -1
                    $0.transferLimitPerOrigin = 0
                    $0.keptConnections = -5
                    $0.keptFor = .seconds(-1)
                } _: { client in
                    let endless = CurlRequest.get(server.url()) {
                        $0.timeout = .seconds(Int64.max)
                        $0.connectTimeout = .seconds(Int64.max)
                        $0.silence = .seconds(Int64.max)
                        $0.bodyLimit = .max
                        $0.headLimit = .max
                    }
                    let response = try await client.send(endless)
                    #expect(response.text == "ok")
                    for limit in [Duration.zero, .seconds(-1)] {
                        let error = try await failure {
                            _ = try await client.send(.get(server.url()) { $0.timeout = limit })
                        }
                        #expect(error.code == .invalidRequest)
                    }
                    let small = try await failure {
                        _ = try await client.send(.get(server.url()) { $0.bodyLimit = -1 })
                    }
                    #expect(small.code == .tooLarge)
                }
            }
        }
    }
}
