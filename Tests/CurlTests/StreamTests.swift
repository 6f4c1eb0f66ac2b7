import Curl
import Foundation
import Testing

extension `A client for HTTP` {
    @Suite(.timeLimit(.minutes(1)))
    struct `Bodies read while they arrive` {
        @Test func `events are read one by one, as they are sent`() async throws {
            let read = [Signal(), Signal(), Signal()]
            try await RawServer.run { peer in
                _ = try await peer.request()
                try await peer.say(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
                for (number, signal) in read.enumerated() {
                    try await peer.say("9\r\ndata: \(number)\n\n\r\n")
                    await signal.wait()
                }
                try await peer.say("0\r\n\r\n")
                try await peer.hangUp()
            } while: { server in
                try await withClient { client in
                    let texts = try await client.withResponse(to: .get(server.url())) { stream in
                        #expect(stream.head.status == 200)
                        #expect(stream.head.headers["content-type"] == "text/event-stream")
                        var texts: [String] = []
                        for try await chunk in stream {
                            read[texts.count].fire()
                            texts.append(String(decoding: chunk, as: UTF8.self))
                        }
                        return texts
                    }
                    #expect(texts == ["data: 0\n\n", "data: 1\n\n", "data: 2\n\n"])
                }
            }
        }

        @Test func `a reader that takes its time keeps the server waiting, and gets every byte`() async throws {
            let size = 32 << 20
            let sent = Counter()
            try await RawServer.run { peer in
                _ = try await peer.request()
                try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                let part = [UInt8](repeating: 7, count: 1 << 20)
                for _ in 0..<32 {
                    try await peer.say(bytes: part)
                    sent.increment()
                }
                try await peer.hangUp()
            } while: { server in
                try await withClient { client in
                    let request = CurlRequest.get(server.url()) {
                        $0.bodyLimit = .max
                        $0.silence = .seconds(2)
                    }
                    let received = try await client.withResponse(to: request) { stream in
                        var received = 0
                        for try await chunk in stream {
                            #expect(chunk.count <= 128 << 10)
                            #expect(chunk.allSatisfy { $0 == 7 })
                            if received == 0 {
                                // Longer than the server may be silent: it is the reader who waits.
                                try await Task.sleep(for: .milliseconds(2_500))
                                // What the kernel's buffers and NIO's hold is a few megabytes.
                                #expect(sent.value < 24)
                            }
                            received += chunk.count
                        }
                        return received
                    }
                    #expect(received == size)
                }
            }
        }

        @Test func `a body that breaks off is an error after what had come`() async throws {
            try await RawServer.run { peer in
                _ = try await peer.request()
                try await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            } while: { server in
                try await withClient { client in
                    var text = ""
                    let error = try await failure {
                        try await client.withResponse(to: .get(server.url())) { stream in
                            for try await chunk in stream { text += String(decoding: chunk, as: UTF8.self) }
                        }
                    }
                    #expect(error.code == .connectionReset)
                    #expect(text == "half")
                }
            }
        }

        @Test func `a body beyond its limit, and one that does not end in time, are errors`() async throws {
            try await RawServer.run { peer in
                _ = try await peer.request()
                try await peer.say("HTTP/1.1 200 OK\r\n\r\n")
                while true {
                    try await peer.say("x")
                    try await Task.sleep(for: .milliseconds(5))
                }
            } while: { server in
                try await withClient { client in
                    for (request, code) in [
                        (CurlRequest.get(server.url()) { $0.bodyLimit = 10 }, CurlError.Code.tooLarge),
                        (.get(server.url()) { $0.timeout = .milliseconds(200) }, .timedOut),
                    ] {
                        let error = try await failure {
                            try await client.withResponse(to: request) { stream in for try await _ in stream {} }
                        }
                        #expect(error.code == code)
                    }
                }
            }
        }

        @Test func `leaving early, failing and being cancelled end the transfer at once`() async throws {
            let hungUp = [Signal(), Signal(), Signal()]
            let served = Counter()
            try await RawServer.run { peer in
                _ = try await peer.request()
                let signal = hungUp[served.value]
                served.increment()
                try await peer.say("HTTP/1.1 200 OK\r\n\r\nx")
                try await peer.hangUp()
                signal.fire()
            } while: { server in
                try await withClient { client in
                    try await client.withResponse(to: .get(server.url())) { stream in
                        for try await _ in stream { break }
                    }
                    await hungUp[0].wait()
                    await #expect(throws: HungUp.self) {
                        try await client.withResponse(to: .get(server.url())) { _ in throw HungUp() }
                    }
                    await hungUp[1].wait()
                    let reading = Signal()
                    let task = Task {
                        try await client.withResponse(to: .get(server.url())) { stream in
                            for try await _ in stream { reading.fire() }
                        }
                    }
                    await reading.wait()
                    task.cancel()
                    #expect(try await failure { try await task.value }.code == .cancelled)
                    await hungUp[2].wait()
                }
            }
        }

        @Test func `streams that are read to the end share a connection one after the other`() async throws {
            try await RawServer.run { peer in
                try await peer.serve { _ in try await peer.say(ok) }
            } while: { server in
                try await withClient { client in
                    for number in 0..<4 {
                        let (text, isReused) = try await client.withResponse(to: .get(server.url())) { stream in
                            var text = ""
                            for try await chunk in stream { text += String(decoding: chunk, as: UTF8.self) }
                            return (text, stream.head.isReused)
                        }
                        #expect(text == "ok")
                        #expect(isReused == (number > 0))
                    }
                }
                #expect(server.connections == 1)
            }
        }
    }
}
