import Foundation
import Redis
import Testing

@Suite(.enabled(if: TestRedis.isThere), .timeLimit(.minutes(1)))
struct `Commands on a server` {
    @Test func `a pipeline answers each command in order, errors too`() async throws {
        let client = try TestRedis.client()
        let key = TestRedis.key()
        let replies = try await client.pipeline([
            ["SET", key, 41, "PX", 60_000], ["INCR", key], ["GET", key], ["LPUSH", key, "x"], ["GET", "\(key):none"],
            ["MGET", key, "\(key):none"], ["DEL", key],
        ])
        #expect(replies[0] == .status("OK"))
        #expect(replies[1] == .integer(42))
        #expect(replies[2].text == "42")
        #expect(replies[3].isError)
        #expect(replies[4] == .null)
        #expect(replies[5] == .array([.bytes(Data("42".utf8)), .null]))
        #expect(replies[6].integer == 1)
        #expect(try await client.pipeline([]) == [])
        await client.close()
    }

    @Test func `keys and values may hold any bytes`() async throws {
        let client = try TestRedis.client()
        let key = Array("\(TestRedis.key())\r\n\0 %s%b".utf8)
        for value in [Data(UInt8.min...UInt8.max), Data(), Data("\r\n$5\r\n".utf8)] {
            let replies = try await client.pipeline([["SET", key, value], ["GET", key], ["DEL", key]])
            #expect(replies == [.status("OK"), .bytes(value), .integer(1)])
        }
        await client.close()
    }

    @Test func `a pipeline larger than every buffer does not lock up`() async throws {
        let client = try TestRedis.client(timeout: .seconds(20))
        let value = Data(repeating: 7, count: 5_000)
        let replies = try await client.pipeline((0..<5_000).map { _ in ["ECHO", value] })
        #expect(replies == Array(repeating: .bytes(value), count: 5_000))
        await client.close()
    }

    @Test func `a script that the server forgot is sent again`() async throws {
        let client = try TestRedis.client()
        let key = TestRedis.key()
        let script = RedisScript("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])} -- \(key)")
        for round in 1...4 {
            if round == 3 { _ = try await client.pipeline([["SCRIPT", "FLUSH"]]) }
            let reply = try await client.evaluate(script: script, keys: [key], arguments: [round])
            #expect(reply.elements?.map(\.text) == [key, "\(round)", nil])
            #expect(reply.elements?.last == .integer(Int64(round)))
        }
        _ = try await client.pipeline([["SCRIPT", "FLUSH"]])
        let mixed = try await client.pipeline([
            ["ECHO", "a"], .evaluate(script, keys: [key], arguments: [5]), ["ECHO", "b"], ["DEL", key],
        ])
        #expect(mixed[0].text == "a")
        #expect(mixed[1].elements?.count == 3)
        #expect(mixed[2].text == "b")
        await client.close()
    }

    @Test func `a script's own error is a reply`() async throws {
        let client = try TestRedis.client()
        #expect(try await client.evaluate(script: RedisScript("return redis.call('NOPE')"), keys: []).isError)
        #expect(try await client.evaluate(script: RedisScript("this is not Lua"), keys: []).isError)
        await client.close()
    }

    @Test func `many callers each get their own answers`() async throws {
        let client = try TestRedis.client()
        try await withThrowingTaskGroup { group in
            for number in 0..<200 {
                group.addTask {
                    let replies = try await client.pipeline([["ECHO", number], ["ECHO", "x\(number)"]])
                    #expect(replies.map(\.text) == ["\(number)", "x\(number)"])
                }
            }
            try await group.waitForAll()
        }
        await client.close()
    }
}

@Suite(.enabled(if: TestRedis.isThere), .timeLimit(.minutes(1)))
struct `A Redis that fails` {
    @Test func `a late reply never answers the next command`() async throws {
        let client = try TestRedis.client(timeout: .milliseconds(100))
        for _ in 0..<2 {
            #expect(try await TestRedis.stall(client) == .timedOut)
            let replies = try await client.pipeline([["ECHO", "mine"]])
            #expect(replies.map(\.text) == ["mine"])
        }
        try await Task.sleep(for: .milliseconds(400))
        let replies = try await client.pipeline([["ECHO", "mine"]])
        #expect(replies.map(\.text) == ["mine"])
        await client.close()
    }

    @Test func `the breaker opens, refuses at once, and closes after the pause`() async throws {
        let client = try TestRedis.client(timeout: .milliseconds(100))
        for _ in 0..<3 { #expect(try await TestRedis.stall(client) == .timedOut) }
        #expect(client.state == .open)
        let start = ContinuousClock.now
        let code = try await TestRedis.code { _ = try await client.pipeline([["PING"]]) }
        #expect(code == .unavailable)
        #expect(ContinuousClock.now - start < .milliseconds(50))
        try await Task.sleep(for: .milliseconds(250))
        let replies = try await client.pipeline([["PING"]])
        #expect(replies == [.status("PONG")])
        #expect(client.state == .closed)
        await client.close()
    }

    @Test func `a server that is not there opens the breaker and keeps it open`() async throws {
        let client = try TestRedis.client(url: "redis://127.0.0.1:1/0")
        for _ in 0..<3 {
            let code = try await TestRedis.code { _ = try await client.pipeline([["PING"]]) }
            #expect(code == .connectionLost)
        }
        #expect(try await TestRedis.code { _ = try await client.pipeline([["PING"]]) } == .unavailable)
        try await Task.sleep(for: .milliseconds(250))
        #expect(try await TestRedis.code { _ = try await client.pipeline([["PING"]]) } == .connectionLost)
        #expect(try await TestRedis.code { _ = try await client.pipeline([["PING"]]) } == .unavailable)
        await client.close()
    }

    @Test func `a connection that the server killed is made again`() async throws {
        let client = try TestRedis.client()
        let other = try TestRedis.client()
        let first = try #require(try await client.pipeline([["CLIENT", "ID"]])[0].integer)
        #expect(try await other.pipeline([["CLIENT", "KILL", "ID", first]]) == [.integer(1)])
        let second = try #require(try await client.pipeline([["CLIENT", "ID"]])[0].integer)
        #expect(second != first)
        #expect(client.state == .closed)
        await client.close()
        await other.close()
    }

    @Test func `a connection killed in the middle of a command is lost and made again`() async throws {
        let client = try TestRedis.client()
        let other = try TestRedis.client()
        let key = try #require(try await client.pipeline([["CLIENT", "ID"]])[0].integer)
        async let waiting = TestRedis.code { _ = try await client.pipeline([["BLPOP", TestRedis.key(), "0.9"]]) }
        try await Task.sleep(for: .milliseconds(100))
        _ = try await other.pipeline([["CLIENT", "KILL", "ID", key]])
        #expect(try await waiting == .connectionLost)
        #expect(try await client.pipeline([["PING"]]) == [.status("PONG")])
        await client.close()
        await other.close()
    }

    @Test func `a wrong password is told in the server's words`() async throws {
        let url = TestRedis.url.replacing("redis://", with: "redis://nobody:wrong@", maxReplacements: 1)
        let client = try TestRedis.client(url: url)
        let code = try await TestRedis.code { _ = try await client.pipeline([["PING"]]) }
        guard case .serverError(let words) = code else {
            Issue.record("\(code) instead of the server's refusal")
            return
        }
        #expect(!words.isEmpty)
        await client.close()
        #expect(try await TestRedis.code { _ = try await client.pipeline([["PING"]]) } == .closed)
    }
}
