import Testing

@testable import Curl

@Suite struct `Turns of calls` {
    private func turns(_ limit: Int, perOrigin: Int, waiting: Int = 10) -> Turns {
        var configuration = CurlConfiguration()
        configuration.transferLimit = limit
        configuration.transferLimitPerOrigin = perOrigin
        configuration.waitingLimit = waiting
        return Turns(configuration)
    }

    @Test func `origins take turns, and within one who came first goes first`() {
        var turns = turns(1, perOrigin: 1)
        #expect(turns.ask(for: 1, to: "a") == .begins)
        for id: UInt64 in 2...4 { #expect(turns.ask(for: id, to: "a") == .waits) }
        for id: UInt64 in 5...6 { #expect(turns.ask(for: id, to: "b") == .waits) }
        #expect(turns.next() == nil)
        var order: [UInt64] = []
        var running = "a"
        for _ in 0..<5 {
            turns.giveBack(running)
            guard let id = turns.next() else { continue }
            order.append(id)
            running = id < 5 ? "a" : "b"
            #expect(turns.next() == nil)
        }
        #expect(order == [2, 5, 3, 6, 4])
    }

    @Test func `an origin without room is passed over`() {
        var turns = turns(2, perOrigin: 1)
        #expect(turns.ask(for: 1, to: "slow") == .begins)
        #expect(turns.ask(for: 2, to: "slow") == .waits)
        #expect(turns.ask(for: 3, to: "quick") == .begins)
        #expect(turns.ask(for: 4, to: "quick") == .waits)
        turns.giveBack("quick")
        #expect(turns.next() == 4)
        #expect(turns.next() == nil)
    }

    @Test func `who leaves the line frees a place in it, and nothing is left at the end`() {
        var turns = turns(1, perOrigin: 1, waiting: 1)
        #expect(turns.ask(for: 1, to: "a") == .begins)
        #expect(turns.ask(for: 2, to: "b") == .waits)
        #expect(turns.ask(for: 3, to: "c") == .refused)
        turns.leave(2, to: "b")
        turns.leave(2, to: "b")
        #expect(turns.ask(for: 3, to: "c") == .waits)
        turns.giveBack("a")
        turns.giveBack("a")
        #expect(turns.next() == 3)
        #expect(turns.ask(for: 4, to: "a") == .waits)
    }
}

@Suite struct `Heads of answers` {
    private func read(_ text: String, limit: Int = 1_000) -> (HeadParser, HeadParser.Progress) {
        var parser = HeadParser(limit: limit)
        var progress = HeadParser.Progress.goesOn
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            progress = parser.take(Array("\(line)\r\n".utf8))
            if progress != .goesOn { break }
        }
        return (parser, progress)
    }

    @Test func `only the final head counts, and folded lines belong to it`() {
        let (parser, progress) = read("HTTP/1.1 100 C\nA: 0\n\nHTTP/2 201\nA:  1 \n  more\t\nB\nC:\n x\n\n")
        #expect(progress == .complete)
        #expect(parser.status == 201)
        #expect(parser.headers == ["A": "1 more", "C": "x"])
    }

    @Test(arguments: [
        "A: 1\n\n", "HTTP/1.1\n", "HTTP/1.1 99 x\n", "HTTP/1.1 1e3 x\n", "HTTP/1.1 99999999999999999999\n",
    ])
    func `what is no head is not read as one`(text: String) {
        #expect(read(text).1 == .unreadable)
    }

    @Test func `the limit counts every line`() {
        #expect(read("HTTP/1.1 200 OK\nA: 1\n\n", limit: 25).1 == .complete)
        #expect(read("HTTP/1.1 200 OK\nA: 1\n\n", limit: 24).1 == .tooLarge)
    }
}

@Suite struct `Addresses` {
    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "100::1", "2001:db8::1", "2002:808::1",
        "2001::1", "fc00::1", "fd12::1", "fe80::1", "ff02::1", "3fff::1",
    ])
    func `what the internet does not route is not public`(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(!address.isPublic)
        #expect(address.description == text)
    }

    @Test(arguments: ["8.8.8.8", "1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"])
    func `what it routes is`(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.isPublic)
        #expect(IPAddress(bytes: address.bytes) == address)
    }

    @Test(arguments: ["", "localhost", "1.2.3", "1.2.3.4.5", "0x7f.1", "[::1]", "::1%lo", "1.2.3.4 ", "::g"])
    func `what is no address is none`(text: String) {
        #expect(IPAddress(text) == nil)
    }
}
