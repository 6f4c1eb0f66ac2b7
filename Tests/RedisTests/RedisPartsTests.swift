import Foundation
import Testing

@testable import Redis

@Suite struct `Parts of the Redis client` {
    @Test func `a URL names host, port, database and password`() throws {
        let plain = try RedisConfiguration(url: "redis://cache")
        #expect((plain.host, plain.port, plain.database) == ("cache", 6379, 0))
        #expect(plain.greeting.isEmpty)
        let full = try RedisConfiguration(url: "redis://me:p%40ss@[::1]:7000/3")
        #expect((full.host, full.port, full.database) == ("::1", 7000, 3))
        #expect((full.user, full.password) == ("me", "p@ss"))
        #expect(full.greeting.count == 2)
        #expect(try RedisConfiguration(url: "redis://:secret@cache/").password == "secret")
    }

    @Test(arguments: [
        "", "cache:6379", "http://cache", "rediss://cache", "redis://", "redis://cache/x", "redis://cache/-1",
    ])
    func `a URL that cannot be meant is refused`(url: String) {
        #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
    }

    @Test func `the password is never printed`() throws {
        let configuration = try RedisConfiguration(url: "redis://me:secret@cache")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("secret"))
        }
    }

    @Test func `a command keeps its words apart`() {
        let command: RedisCommand = ["SET", "k\r\n", Data([0, 1]), 5, ""]
        #expect(command.lengths == [3, 3, 2, 1, 0])
        #expect(command.bytes == Array("SETk\r\n".utf8) + [0, 1] + Array("5".utf8))
    }

    @Test func `a script is sent in full until its digest is known`() {
        let command = RedisCommand.evaluate(RedisScript("return 1"), keys: ["k"], arguments: [7])
        #expect(command.resolved(digest: nil).bytes == Array("EVALreturn 11k7".utf8))
        #expect(command.resolved(digest: "abc").bytes == Array("EVALSHAabc1k7".utf8))
    }

    @Test func `the breaker opens after failures in a row and lets one call try after the pause`() {
        var breaker = CircuitBreaker(failures: 2, pause: .seconds(2))
        let start = ContinuousClock.now
        let before = [breaker.fail(at: start), breaker.succeed(), breaker.fail(at: start), breaker.fail(at: start)]
        #expect(before == [false, false, false, true])
        #expect(breaker.state == .open)
        let during = [breaker.admits(at: start + .milliseconds(1_999)), breaker.admits(at: start + .seconds(2))]
        #expect(during == [false, true])
        #expect(breaker.state == .halfOpen)
        let trying = [breaker.admits(at: start + .seconds(3)), breaker.fail(at: start + .seconds(3))]
        #expect(trying == [false, false])
        let after = [breaker.admits(at: start + .seconds(4)), breaker.admits(at: start + .seconds(5))]
        #expect(after == [false, true])
        let isBack = breaker.succeed()
        #expect(isBack)
        #expect(breaker.state == .closed)
    }
}
