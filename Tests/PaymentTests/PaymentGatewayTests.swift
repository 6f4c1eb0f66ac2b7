import Connections
import Contracts
import FleetRuntime
import Synchronization
import TestKit
import Testing

@testable import Payment

struct CircuitBreakerTests {
    private let start = ContinuousClock.now
    private var breaker: CircuitBreaker { CircuitBreaker(threshold: 3, pause: .seconds(1)) }

    @Test func `it opens after so many failures in a row`() {
        var breaker = breaker
        var answers: [Bool] = []
        for _ in 1...4 {
            answers.append(breaker.admits(at: start))
            breaker.failed(at: start)
        }
        #expect(answers == [true, true, true, false])
        #expect(breaker.state == .open(until: start + .seconds(1)))
    }

    @Test func `a success in between starts the count again`() {
        var breaker = breaker
        for _ in 1...5 {
            breaker.failed(at: start)
            breaker.failed(at: start)
            breaker.succeeded()
        }
        #expect(breaker.state == .closed(failures: 0))
    }

    @Test func `after the pause one call goes through, and its success closes it`() {
        var breaker = opened()
        let answers = [999, 1_000, 1_000].map { breaker.admits(at: start + .milliseconds($0)) }
        #expect(answers == [false, true, false])
        breaker.succeeded()
        #expect(breaker.state == .closed(failures: 0))
    }

    @Test func `a probe that fails opens it for another pause`() {
        var breaker = opened()
        _ = breaker.admits(at: start + .seconds(1))
        breaker.failed(at: start + .seconds(2))
        let answers = [2_999, 3_000].map { breaker.admits(at: start + .milliseconds($0)) }
        #expect(answers == [false, true])
    }

    @Test func `a probe that is never heard of makes way for the next`() {
        var breaker = opened()
        let answers = [1_000, 1_999, 2_000].map { breaker.admits(at: start + .milliseconds($0)) }
        #expect(answers == [true, false, true])
    }

    @Test func `failures that arrive late do not lengthen the pause, a success that arrives late ends it`() {
        var breaker = opened()
        breaker.failed(at: start + .milliseconds(900))
        #expect(breaker.state == .open(until: start + .seconds(1)))
        breaker.succeeded()
        #expect(breaker.state == .closed(failures: 0))
    }

    private func opened() -> CircuitBreaker {
        var breaker = breaker
        for _ in 1...3 { breaker.failed(at: start) }
        return breaker
    }
}

struct PausesTests {
    @Test func `pauses double up to their limit, refunds wait longer`() {
        let pauses = Pauses(first: .milliseconds(100), limit: .seconds(1), refundLimit: .seconds(10))
        let charges = (1...6).map { pauses.pause(after: $0, of: .charge, chance: 1) }
        #expect(charges == [100, 200, 400, 800, 1_000, 1_000].map { .milliseconds($0) })
        #expect(pauses.pause(after: 8, of: .refund, chance: 1) == .seconds(10))
        #expect(pauses.pause(after: 1_000_000, of: .refund, chance: 1) == .seconds(10))
    }

    @Test func `chance takes off at most a half`() {
        let pauses = Pauses(first: .milliseconds(100))
        #expect(pauses.pause(after: 1, of: .close, chance: 0) == .milliseconds(50))
    }
}

struct PatientCallsTests {
    @Test func `answers come in the order of the items, and no more than so many calls run at once`() async {
        let running = Mutex((now: 0, most: 0))
        let answers = await PatientCalls(width: 7, patience: .seconds(60)).make(Array(0..<100)) { _ in
            -1
        } call: { item in
            running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            await Task.yield()
            running.withLock { $0.now -= 1 }
            return item * 2
        }
        #expect(answers == (0..<100).map { $0 * 2 })
        #expect(running.withLock(\.most) <= 7)
    }

    @Test func `a call that is overdue is not waited for, even if it cannot be cancelled`() async {
        let stuck = StuckCalls()
        let clock = StandingClock()
        let answers = await RuntimeEnvironment.$simulated.withValue(clock) {
            await PatientCalls(width: 2, patience: .seconds(1)).make([1, 2, 3, 4]) {
                -$0
            } call: { item in
                if item == 2 { clock.advance(by: .seconds(1)) }
                if item < 3 { await stuck.wait() }
                return item
            }
        }
        #expect(answers == [-1, -2, 3, 4])
        stuck.end()
    }

    @Test func `patience is kept for every batch, also at the same time and one after another`() async {
        let calls = PatientCalls(width: 2, patience: .milliseconds(20))
        let stuck = StuckCalls()
        @Sendable func answer(_ item: Int) async -> [Int] {
            await calls.make([item]) { _ in
                0
            } call: { item in
                await stuck.wait()
                return item
            }
        }
        for _ in 0..<3 {
            async let one = answer(1)
            async let other = answer(2)
            #expect(await one + other == [0, 0])
        }
        stuck.end()
    }

    @Test func `calls run where they had better run`() async {
        let thread = ConnectionThread()
        let places = await PatientCalls(width: 2, patience: .seconds(60), on: thread).make([1, 2]) { _ in
            nil
        } call: { _ in
            thread.isIsolatingCurrentContext()
        }
        #expect(places == [true, true])
        thread.retire()
    }

    @Test func `no items need no call`() async {
        let answers = await PatientCalls(width: 1, patience: .seconds(1)).make([Int]()) {
            $0
        } call: {
            $0
        }
        #expect(answers.isEmpty)
    }
}

/// Calls that do not come back, and cannot be cancelled.
private final class StuckCalls: Sendable {
    private let calls = Mutex<[CheckedContinuation<Void, Never>]>([])

    func wait() async {
        await withCheckedContinuation { call in calls.withLock { $0.append(call) } }
    }

    func end() {
        for call in calls.withLock({ $0 }) { call.resume() }
    }
}

struct ProviderDeskTests {
    private func charges(_ count: Int, in state: Charge.State = .open) -> [Charge] {
        (0..<count).map { _ in
            let command = Charge.Command(operation: .charge, id: .make(), step: 1, traceparent: nil)
            return Charge(
                sagaID: .make(), terms: Charge.Terms(amount: euros, method: "sim_ok"), state: state, owed: command)
        }
    }

    private func desk(
        _ provider: ScriptedProvider, width: Int = 1, threshold: Int = 3, patience: Duration = .seconds(60),
        health: HealthRegistry = HealthRegistry()
    ) -> PaymentGateway {
        PaymentGateway(
            provider,
            limits: .init(
                width: width, patience: patience,
                breaker: CircuitBreaker(threshold: threshold, pause: .seconds(3_600))),
            health: health, logger: quiet)
    }

    @Test func `each state asks its own question`() async {
        let desk = desk(ScriptedProvider())
        let states: [Charge.State] = [.open, .closing, .refunding(id: "p1")]
        let findings = await desk.ask(states.flatMap { charges(1, in: $0) })
        #expect(findings.map(\.answer) == [.charge(.captured(id: "p1")), .close(.closed), .refund(.refunded)])
    }

    @Test func `a provider that cannot be reached is soon not asked any more`() async {
        let provider = ScriptedProvider(charge: { _, _ in .failure(.unavailable("down")) })
        let health = HealthRegistry()
        let answers = await desk(provider, health: health).ask(charges(10)).map(\.answer)
        #expect(answers.prefix(3).allSatisfy { $0 == .unknown(.charge, .unavailable("down")) })
        #expect(answers.dropFirst(3).allSatisfy { $0 == .unknown(.charge, .notAsked) })
        #expect(provider.count(of: .charge) == 3)
        #expect(health.report.components.map(\.status) == [.degraded("the provider does not answer")])
    }

    @Test func `silence counts as failure`() async {
        let provider = ScriptedProvider(charge: { _, _ in
            do { try await Task.sleep(for: .seconds(3_600)) } catch {}
            return .failure(.failed("cancelled"))
        })
        let answers = await desk(provider, width: 10, patience: .milliseconds(20)).ask(charges(20)).map(\.answer)
        #expect(answers.prefix(10).allSatisfy { $0 == .unknown(.charge, .timedOut) })
        #expect(answers.dropFirst(10).allSatisfy { $0 == .unknown(.charge, .notAsked) })
    }

    @Test func `failures of single calls and refusals of cards do not open it`() async {
        let provider = ScriptedProvider(charge: { _, number in
            number % 2 == 0 ? .failure(.failed("this one")) : .success(.declined(reason: "no"))
        })
        _ = await desk(provider).ask(charges(20))
        #expect(provider.count(of: .charge) == 20)
    }
}
