import Connections
import Foundation
import Synchronization
import Testing

/// What connections that share a thread owe each other.
@Suite(.timeLimit(.minutes(1)))
struct `A connection's thread` {
    @Test func `lets the others read while one waits within a job`() async {
        let thread = ConnectionThread()
        let (question, answer) = (Pipe(), Pipe())
        let reader = Owner()
        thread.watch(question.descriptor, for: reader, every: .seconds(60)) {
            question.drain()
            answer.fire()
        }
        let found = await onto(thread) {
            question.fire()
            return thread.wait(for: POLLIN, of: answer.descriptor, until: .now + .seconds(30))
        }
        #expect(found == POLLIN)
        thread.unwatch(for: reader)
        thread.retire()
    }

    @Test func `waits no longer than until the deadline`() async {
        let thread = ConnectionThread()
        let silent = Pipe()
        let found = await onto(thread) {
            thread.wait(for: POLLIN, of: silent.descriptor, until: .now + .milliseconds(20))
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
            thread.watch(socket.descriptor, for: owners[index], every: .seconds(60)) {
                socket.drain()
                feed.yield(index)
            }
        }
        var heard = calls.makeAsyncIterator()
        for index in [1, 0] {
            sockets[index].fire()
            #expect(await heard.next() == index)
        }
        thread.unwatch(for: owners[0])
        sockets[0].fire()
        sockets[1].fire()
        #expect(await heard.next() == 1)
        thread.retire()
    }

    @Test func `brings forward the tick of the owner that asks`() async {
        let thread = ConnectionThread()
        let sockets = [Pipe(), Pipe()]
        let owners = [Owner(), Owner()]
        let (calls, feed) = AsyncStream.makeStream(of: Int.self)
        for (index, socket) in sockets.enumerated() {
            thread.watch(socket.descriptor, for: owners[index], every: .seconds(60)) { feed.yield(index) }
        }
        thread.tick(by: .now, for: owners[1])
        var heard = calls.makeAsyncIterator()
        #expect(await heard.next() == 1)
        thread.retire()
    }

    @Test func `begins when the machine has descriptors again, and does then what waited`() async {
        let (tries, attempts) = AsyncStream.makeStream(of: Void.self)
        let isShort = Atomic(true)
        let thread = ConnectionThread {
            attempts.yield()
            return isShort.load(ordering: .relaxed) ? nil : ConnectionThread.Pipe.open()
        }
        async let work = onto(thread) { thread.isIsolatingCurrentContext() }
        var tried = tries.makeAsyncIterator()
        for _ in 1...2 { await tried.next() }
        isShort.store(false, ordering: .relaxed)
        #expect(await work == true)
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

extension Pipe {
    fileprivate var descriptor: Int32 { fileHandleForReading.fileDescriptor }

    fileprivate func fire() {
        fileHandleForWriting.write(Data([1]))
    }

    fileprivate func drain() {
        _ = fileHandleForReading.availableData
    }
}
