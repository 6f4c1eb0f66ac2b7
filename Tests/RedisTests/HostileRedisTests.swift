import Connections
import Logging
import TestKit
import Testing

@testable import Redis

/// What a client bears from whatever answers in the place of Redis.
@Suite(.timeLimit(.minutes(1))) struct `A client of something that is no Redis` {
    private static let limit = Duration.seconds(5)

    /// The error that one question ends with when `answer` comes, again and again if it is to be endless.
    private func asking(answer: String, isEndless: Bool = false) async throws -> RedisError.Code {
        try await withFakeServer(serving: { client in
            _ = try await client.read(1)
            repeat { try await client.write(Array(answer.utf8)) } while isEndless
            try await client.readToEnd()
        }) { port in
            let client = try TestRedis.client(url: "redis://127.0.0.1:\(port)/0", timeout: .milliseconds(500))
            let code = try await TestRedis.code { _ = try await client.pipeline([["PING"]]) }
            await client.close()
            return code
        }
    }

    static let arrays = [
        "*2147483647\r\n", "*4294967295\r\n", "*9223372036854775807\r\n", "*100001\r\n",
        String(repeating: "*1\r\n", count: 100_000) + ":1\r\n",
        "*50000\r\n" + String(repeating: "*50000\r\n", count: 3),
        "*7\r\n*7\r\n*7\r\n*7\r\n*7\r\n*7\r\n*7\r\n*99999\r\n",
    ]

    @Test(arguments: arrays) func `refuses an array of absurd size or depth at once`(answer: String) async throws {
        let began = ContinuousClock.now
        let code = try await asking(answer: answer)
        #expect([.protocolViolation, .connectionLost].contains(code))
        #expect(ContinuousClock.now - began < Self.limit)
    }

    @Test func `gives up a string that is announced and does not come`() async throws {
        let began = ContinuousClock.now
        #expect(try await asking(answer: "$2147483647\r\nx") == .timedOut)
        #expect(ContinuousClock.now - began < Self.limit)
    }

    @Test func `does not swallow a string without an end`() async throws {
        let began = ContinuousClock.now
        let piece = String(repeating: "x", count: 1_000_000)
        let code = try await asking(answer: "$2147483647\r\n" + piece, isEndless: true)
        #expect([.timedOut, .protocolViolation].contains(code))
        #expect(ContinuousClock.now - began < Self.limit)
    }

    @Test func `takes an array of many elements and seven levels`() async throws {
        let replies = try await withFakeServer(serving: { client in
            _ = try await client.read(1)
            let many = "*90000\r\n" + String(repeating: ":1\r\n", count: 90_000)
            try await client.write(Array((many + String(repeating: "*1\r\n", count: 7) + ":1\r\n").utf8))
            try await client.readToEnd()
        }) { port in
            let client = try TestRedis.client(url: "redis://127.0.0.1:\(port)/0", timeout: .seconds(10))
            let replies = try await client.pipeline([["PING"], ["PING"]])
            await client.close()
            return replies
        }
        #expect(replies[0].elements?.count == 90_000)
        #expect(replies[1].elements?.first?.elements?.count == 1)
    }
}
