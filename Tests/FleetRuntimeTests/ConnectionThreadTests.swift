import Connections
import Glibc
import Testing

/// What connections that share a thread owe each other.
@Suite(.timeLimit(.minutes(1)))
struct `A connection's thread` {
    @Test func `lets the others read while one waits within a job`() async {
        let thread = ConnectionThread()
        let (question, answer) = (Pipe(), Pipe())
        let reader = Owner()
        thread.watch(question.reader, for: reader, every: .seconds(60)) {
            question.drain()
            answer.write()
        }
        let found = await onto(thread) {
            question.write()
            return thread.wait(for: POLLIN, of: answer.reader, until: .now + .seconds(30))
        }
        #expect(found == POLLIN)
        thread.unwatch(for: reader)
        thread.retire()
    }

    @Test func `waits no longer than until the deadline`() async {
        let thread = ConnectionThread()
        let silent = Pipe()
        let found = await onto(thread) {
            thread.wait(for: POLLIN, of: silent.reader, until: .now + .milliseconds(20))
        }
        #expect(found == 0)
        thread.retire()
    }

    @Test func `tells each owner of its own socket, until that is no longer watched`() async {
        let thread = ConnectionThread()
        let sockets = [Pipe(), Pipe()]
        let owners = [Owner(), Owner()]
        let (calls, feed) = AsyncStream.makeStream(of: Int.self)
        for (index, socket) in sockets.enumerated() {
            thread.watch(socket.reader, for: owners[index], every: .seconds(60)) {
                socket.drain()
                feed.yield(index)
            }
        }
        var heard = calls.makeAsyncIterator()
        for index in [1, 0] {
            sockets[index].write()
            #expect(await heard.next() == index)
        }
        thread.unwatch(for: owners[0])
        sockets[0].write()
        sockets[1].write()
        #expect(await heard.next() == 1)
        thread.retire()
    }

    @Test func `brings forward the tick of the owner that asks`() async {
        let thread = ConnectionThread()
        let sockets = [Pipe(), Pipe()]
        let owners = [Owner(), Owner()]
        let (calls, feed) = AsyncStream.makeStream(of: Int.self)
        for (index, socket) in sockets.enumerated() {
            thread.watch(socket.reader, for: owners[index], every: .seconds(60)) { feed.yield(index) }
        }
        thread.tick(by: .now, for: owners[1])
        var heard = calls.makeAsyncIterator()
        #expect(await heard.next() == 1)
        thread.retire()
    }

    @Test func `works until the last that shares it gives it up`() async {
        let thread = ConnectionThread()
        let same = thread.shared()
        thread.retire()
        #expect(await onto(same) { same.isIsolatingCurrentContext() } == true)
        same.retire()
    }

    private func onto<R: Sendable>(_ thread: ConnectionThread, _ work: @escaping @Sendable () -> R) async -> R {
        await Task(executorPreference: thread) { work() }.value
    }
}

private final class Owner: Sendable {}

/// A socket to be: what is written at one end makes the other readable.
private final class Pipe: Sendable {
    let reader: Int32
    private let writer: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let made = unsafe pipe(&ends)
        precondition(made == 0, "no descriptors left")
        (reader, writer) = (ends[0], ends[1])
    }

    deinit {
        close(reader)
        close(writer)
    }

    func write() {
        _ = unsafe [UInt8(1)].withUnsafeBytes { unsafe Glibc.write(writer, $0.baseAddress, 1) }
    }

    func drain() {
        var byte: UInt8 = 0
        _ = unsafe read(reader, &byte, 1)
    }
}
