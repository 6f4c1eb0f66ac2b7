import Configuration
import Connections
import Contracts
import FleetRuntime
import Foundation
import Hosting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct `A coalescer` {
    @Test func `answers every call from few batches`() async throws {
        let batches = Mutex<[Int]>([])
        let coalescer = Coalescer<Int, Int>(limit: 50) { inputs in
            batches.withLock { $0.append(inputs.count) }
            await Task.yield()
            return inputs.map { .success($0 * 2) }
        }
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<500 { group.addTask { try await coalescer.submit(number) } }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(answers.sorted() == (0..<500).map { $0 * 2 })
        #expect(batches.withLock { $0.reduce(0, +) } == 500)
        #expect(batches.withLock { $0.allSatisfy { $0 <= 50 } })
    }

    @Test func `fails only the calls of a batch that failed`() async throws {
        let coalescer = Coalescer<Int, Int>(limit: 1) { inputs in
            inputs.map { $0 == 1 ? .failure(Mishap(isTransient: false)) : .success($0) }
        }
        await #expect(throws: Mishap.self) { try await coalescer.submit(1) }
        #expect(try await coalescer.submit(2) == 2)
    }

    @Test func `refuses calls beyond those that may wait, and answers the others`() async throws {
        let (began, gate) = (AsyncStream<Void>.makeStream(), AsyncStream<Void>.makeStream())
        let coalescer = Coalescer<Int, Int>(limit: 1, capacity: 1) { inputs in
            began.continuation.yield()
            for await _ in gate.stream {}
            return inputs.map { .success($0) }
        }
        async let first = coalescer.submit(1)
        for await _ in began.stream { break }
        let refused = await withTaskCancellationHandler {
            await withTaskGroup(of: Bool.self) { group in
                for number in 2...4 {
                    group.addTask {
                        do { return try await coalescer.submit(number) != number } catch { return error is Overloaded }
                    }
                }
                // Only a refused call comes back while the gate is shut.
                var refused = [await group.next(), await group.next()]
                gate.continuation.finish()
                refused.append(await group.next())
                return refused
            }
        } onCancel: {
            gate.continuation.finish()
        }
        #expect(refused == [true, true, false])
        #expect(try await first == 1)
    }

    @Test func `works where it had better work`() async throws {
        let thread = ConnectionThread()
        let coalescer = Coalescer<Int, Bool?>(limit: 1, on: thread) { inputs in
            inputs.map { _ in .success(thread.isIsolatingCurrentContext()) }
        }
        #expect(try await coalescer.submit(1) == true)
        thread.retire()
    }
}

@Suite(.timeLimit(.minutes(1)))
struct `A signal` {
    @Test func `wakes the one who waits, and remembers a ring before that`() async {
        let signal = AsyncSignal()
        signal.fire()
        await signal.wait(atMost: .seconds(50))
        async let waiting: Void = signal.wait(atMost: .seconds(50))
        signal.fire()
        await waiting
    }
}

@Suite struct `The settings` {
    private func settings(_ values: [String: String]) throws -> Settings {
        try Settings(ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values)))
    }

    @Test func `have the documented defaults`() throws {
        let settings = try settings([:])
        #expect(settings.httpPort == 8_080)
        #expect(settings.hold == .seconds(900))
        #expect(settings.stepTimeout == .seconds(30))
        #expect(settings.batch == 500)
        #expect(settings.lanes == 1)
    }

    @Test func `name every mistake at once`() throws {
        let error = #expect(throws: SettingsError.self) {
            try settings([
                "HTTP_PORT": "eighty", "BATCH_MAX": "0", "LOG_LEVEL": "loud", "AMQP_URL": "http://x",
            ])
        }
        let lines = try #require(error).mistakes
        for name in ["HTTP_PORT", "BATCH_MAX", "LOG_LEVEL", "AMQP_URL"] {
            #expect(lines.contains { $0.hasPrefix(name) }, "\(name)")
        }
    }

    @Test func `never show a password`() throws {
        let error = #expect(throws: SettingsError.self) { try settings(["AMQP_URL": "amqp://u:hunter2@:0/"]) }
        #expect(!"\(try #require(error))".contains("hunter2"))
    }
}
