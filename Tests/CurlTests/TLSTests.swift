import Curl
import Foundation
import Testing

extension `A client for HTTP` {
    @Suite(.enabled(if: Program.isThere("openssl")), .timeLimit(.minutes(1)))
    struct `Calls over TLS` {
        @Test func `a certificate by a trusted authority for this host is accepted`() async throws {
            try await Authority.lend { authority in
                let certificate = try await authority.sign("DNS:localhost,IP:127.0.0.1")
                try await TLSServer.openssl(certificate, in: authority.folder, ["-www"]) { port in
                    try await withClient {
                        $0.authoritiesFile = authority.certificate.path
                        $0.requiresTLS = true
                    } _: { client in
                        for host in ["localhost", "127.0.0.1"] {
                            let response = try await client.send(.get("https://\(host):\(port)/"))
                            #expect(response.status == 200)
                            #expect(response.text.contains("TLSv1.3"))
                        }
                        let pinned = try await client.send(
                            .get("https://localhost:\(port)/") { $0.address = IPAddress("127.0.0.1") })
                        #expect(pinned.status == 200)
                    }
                }
            }
        }

        /// What is wrong with a server's certificate.
        enum Flaw: CaseIterable { case otherHost, expired, selfSigned, unknownAuthority, unknownToTheSystem }

        @Test(arguments: Flaw.allCases)
        func `any other certificate is refused before the request is sent`(flaw: Flaw) async throws {
            try await Authority.lend { authority in
                let certificate =
                    switch flaw {
                    case .otherHost: try await authority.sign("DNS:example.org,IP:127.0.0.2")
                    case .expired: try await authority.sign("IP:127.0.0.1", days: -1)
                    case .selfSigned: try await authority.selfSigned("IP:127.0.0.1")
                    case .unknownAuthority: try await authority.stranger().sign("IP:127.0.0.1")
                    case .unknownToTheSystem: try await authority.sign("IP:127.0.0.1")
                    }
                try await TLSServer.openssl(certificate, in: authority.folder, ["-www"]) { port in
                    try await withClient {
                        $0.authoritiesFile = flaw == .unknownToTheSystem ? nil : authority.certificate.path
                    } _: { client in
                        let error = try await failure {
                            _ = try await client.send(.post("https://127.0.0.1:\(port)/", "x"))
                        }
                        #expect(error.code == .certificateRefused, "\(error)")
                        #expect(!error.mayHaveBeenSent)
                        #expect(!error.isTransient)
                        #expect(error.detail.contains("certificate") || error.detail.contains("SSL"), "\(error)")
                    }
                }
            }
        }

        @Test func `a body of some megabytes is read while it arrives`() async throws {
            try await Authority.lend { authority in
                let certificate = try await authority.sign("IP:127.0.0.1")
                try Data(count: 3 << 20).write(to: authority.folder.appending(path: "large"))
                try await TLSServer.openssl(certificate, in: authority.folder, ["-WWW"]) { port in
                    try await withClient {
                        $0.authoritiesFile = authority.certificate.path
                    } _: { client in
                        let request = CurlRequest.get("https://127.0.0.1:\(port)/large") { $0.bodyLimit = 4 << 20 }
                        let received = try await client.withResponse(to: request) { stream in
                            var received = 0
                            for try await chunk in stream { received += chunk.count }
                            return received
                        }
                        #expect(received == 3 << 20)
                    }
                }
            }
        }

        @Test func `a host whose name is pinned to an address still has to prove its name`() async throws {
            try await Authority.lend { authority in
                let certificate = try await authority.sign("IP:127.0.0.1")
                try await TLSServer.openssl(certificate, in: authority.folder, ["-www"]) { port in
                    try await withClient {
                        $0.authoritiesFile = authority.certificate.path
                    } _: { client in
                        let error = try await failure {
                            _ = try await client.send(
                                .get("https://payments.invalid:\(port)/") { $0.address = IPAddress("127.0.0.1") })
                        }
                        #expect(error.code == .certificateRefused)
                    }
                }
            }
        }

        @Test func `versions before TLS 1_2 are refused, 1_2 is not`() async throws {
            try await Authority.lend { authority in
                let certificate = try await authority.sign("IP:127.0.0.1")
                for (version, isGood) in [("-tls1_1", false), ("-tls1_2", true)] {
                    let options = ["-www", version, "-cipher", "DEFAULT@SECLEVEL=0"]
                    try await TLSServer.openssl(certificate, in: authority.folder, options) { port in
                        try await withClient {
                            $0.authoritiesFile = authority.certificate.path
                        } _: { client in
                            let url = "https://127.0.0.1:\(port)/"
                            guard !isGood else {
                                let response = try await client.send(.get(url))
                                #expect(response.status == 200)
                                return
                            }
                            let error = try await failure { _ = try await client.send(.get(url)) }
                            #expect(error.code == .tlsFailed, "\(error)")
                            #expect(!error.mayHaveBeenSent)
                        }
                    }
                }
            }
        }

        @Test func `a server that stalls, hangs up or talks plainly instead of greeting is not taken for one`()
            async throws
        {
            for answer in [nil, "", "HTTP/1.1 400 Bad\r\n\r\n"] as [String?] {
                try await RawServer.run { peer in
                    try await peer.anything()
                    guard let answer else { return try await peer.hangUp() }
                    try await peer.say(answer)
                } while: { server in
                    try await withClient { client in
                        let error = try await failure {
                            let url = "https://127.0.0.1:\(server.port)/"
                            _ = try await client.send(
                                .post(url, "x") { $0.connectTimeout = .milliseconds(answer == nil ? 300 : 10_000) })
                        }
                        #expect(error.code == (answer == nil ? .timedOut : .tlsFailed), "\(error)")
                        #expect(!error.mayHaveBeenSent)
                    }
                }
            }
        }

        @Test func `a file of authorities that is not there is an error of the caller`() async throws {
            try await withClient {
                $0.authoritiesFile = "/nowhere.pem"
            } _: { client in
                let error = try await RawServer.run {
                    try await $0.hangUp()
                } while: { server in
                    try await failure { _ = try await client.send(.get("https://127.0.0.1:\(server.port)/")) }
                }
                #expect(error.code == .invalidRequest)
            }
        }
    }
}

extension `A client for HTTP` {
    @Suite(.enabled(if: Program.isThere("openssl") && Program.isThere("nghttpd")), .timeLimit(.minutes(1)))
    struct `Calls over HTTP 2` {
        /// Lends a client that trusts a server of HTTP/2, and its address.
        private func withServer(_ body: @Sendable (CurlClient, String) async throws -> Void) async throws {
            try await Authority.lend { authority in
                let certificate = try await authority.sign("IP:127.0.0.1")
                try Data("hello".utf8).write(to: authority.folder.appending(path: "hello"))
                try Data(count: 3 << 20).write(to: authority.folder.appending(path: "large"))
                try await TLSServer.nghttpd(certificate, in: authority.folder) { port in
                    try await withClient {
                        $0.authoritiesFile = authority.certificate.path
                    } _: { client in
                        try await body(client, "https://127.0.0.1:\(port)")
                    }
                }
            }
        }

        @Test func `it is spoken where the server does, and many calls share a connection`() async throws {
            try await withServer { client, url in
                let first = try await client.send(.get("\(url)/hello"))
                #expect(first.text == "hello")
                #expect(first.head.version == .http2)
                #expect(!first.head.isReused)
                try await withThrowingTaskGroup { group in
                    for number in 0..<100 {
                        group.addTask {
                            let text = "body \(number)"
                            let response = try await client.send(.post("\(url)/echo", text))
                            #expect(response.text == text)
                            #expect(response.head.version == .http2)
                            #expect(response.head.isReused)
                        }
                    }
                    try await group.waitForAll()
                }
                let missing = try await client.send(.get("\(url)/missing"))
                #expect(missing.status == 404)
            }
        }

        @Test func `a call that fails or is cancelled leaves the others of its connection alone`() async throws {
            try await withServer { client, url in
                _ = try await client.send(.get("\(url)/hello"))
                try await withThrowingTaskGroup { group in
                    for number in 0..<40 {
                        group.addTask { try await load("\(url)/large", with: client, number) }
                    }
                    try await group.waitForAll()
                }
            }
        }

        /// Loads three megabytes; one in four calls is cancelled, another fails.
        private func load(_ url: String, with client: CurlClient, _ number: Int) async throws {
            let request = CurlRequest.get(url) { $0.bodyLimit = number % 4 == 1 ? 1 << 20 : 4 << 20 }
            let call = Task { try await client.send(request) }
            switch number % 4 {
            case 0:
                call.cancel()
                let error = try await failure { _ = try await call.value }
                #expect(error.code == .cancelled)
            case 1:
                let error = try await failure { _ = try await call.value }
                #expect(error.code == .tooLarge, "\(error)")
            default:
                let response = try await call.value
                #expect(response.body == Data(count: 3 << 20))
            }
        }
    }
}
