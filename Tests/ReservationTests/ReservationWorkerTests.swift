import Contracts
import FleetRuntime
import FoundationEssentials
import TestKit
import Testing

@testable import Reservation

@Suite(.enabled(if: TestServers.haveDatabase), .timeLimit(.minutes(2)))
struct ReservationWorkerTests {
    @Test func `a hold and its confirm issue tickets`() async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(10)
            let saga = SagaID.make()
            let reserved = try #require(
                try await desk.send(reserve(2, of: tier, holdSeconds: 600), of: saga).reply(SeatsReserved.self))
            #expect(reserved.seats == [])
            #expect(abs(reserved.deadline.timeIntervalSinceNow - 600) < 30)
            #expect(try await desk.counts(of: tier) == .init(capacity: 10, held: 2, holds: 2))

            let outcome = try await desk.send(ConfirmSeats(userId: "ada"), of: saga)
            let tickets = try #require(try outcome.reply(SeatsConfirmed.self)).tickets
            #expect(tickets.count == 2 && Set(tickets.map(\.id)).count == 2)
            #expect(try outcome.reply(TicketIssued.self)?.tickets == tickets)
            #expect(try await desk.counts(of: tier) == .init(capacity: 10, sold: 2, holds: 2, validTickets: 2))

            let again = try await desk.send(ConfirmSeats(userId: "ada"), of: saga)
            #expect(try again.reply(SeatsConfirmed.self)?.tickets == tickets)
            #expect(try again.reply(TicketIssued.self) == nil)
            #expect(try await desk.counts(of: tier).validTickets == 2)
        }
    }

    @Test func `a reply echoes the saga, the step, the cause and the trace`() async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(1)
            let command = try envelope(reserve(of: tier), of: .make())
            guard case .reply(let messages) = try await desk.send([command])[0] else {
                Issue.record("no reply")
                return
            }
            let message = try #require(messages.first)
            #expect(message.destination == .orchestrator)
            #expect(message.envelope.id == .derived(from: command.id.uuid, MessageKind.reserved.rawValue))
            #expect(message.envelope.sagaID == command.sagaID && message.envelope.step == command.step)
            #expect(message.envelope.causationID == command.id)
            #expect(message.envelope.traceparent == command.traceparent)
        }
    }

    @Test func `sold out refuses and holds nothing`() async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(2)
            #expect(try await desk.send(reserve(2, of: tier), of: .make()).seats() != nil)
            #expect(try await desk.send(reserve(1, of: tier), of: .make()).refusal() == .soldOut)
            #expect(try await desk.counts(of: tier) == .init(capacity: 2, held: 2, holds: 2))
        }
    }

    @Test func `the same message twice has one effect and the same reply`() async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(5)
            let command = try envelope(reserve(2, of: tier), of: .make())
            let once = try await desk.send([command, command])
            let again = try await desk.send([command])
            #expect(once[0] == once[1])
            // The recorded reply comes back with its times to the millisecond, as they are on the wire.
            #expect(try once[0].reply(SeatsReserved.self) == again[0].reply(SeatsReserved.self))
            #expect(try await desk.counts(of: tier).held == 2)
        }
    }

    @Test func `another message for the same hold gets the same answer and takes nothing`() async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(4, seats: rows(1, of: 4))
            let saga = SagaID.make()
            let first = try await desk.send(reserve(2, of: tier), of: saga).reply(SeatsReserved.self)
            let second = try await desk.send(reserve(2, of: tier), of: saga).reply(SeatsReserved.self)
            #expect(first?.seats == ["A-1", "A-2"])
            #expect(first == second)
            #expect(try await desk.counts(of: tier).held == 2)
        }
    }

    @Test(arguments: [true, false])
    func `a release before its reserve leaves a tombstone`(inOneBatch: Bool) async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(5)
            let saga = SagaID.make()
            let batch = [
                try envelope(ReleaseSeats(reason: "cancelled"), of: saga), try envelope(reserve(of: tier), of: saga),
            ]
            let outcomes =
                inOneBatch
                ? try await desk.send(batch)
                : [try await desk.send([batch[0]])[0], try await desk.send([batch[1]])[0]]
            #expect(try outcomes[0].reply(SeatsReleased.self) != nil)
            #expect(try outcomes[1].refusal() == .released)
            #expect(try await desk.counts(of: tier) == .init(capacity: 5))
            #expect(try await desk.send(ReleaseSeats(reason: "again"), of: saga).reply(SeatsReleased.self) != nil)
        }
    }

    @Test func `a release gives back a hold, voids a sale, and does either once`() async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(3, seats: rows(1, of: 3))
            let (held, sold) = (SagaID.make(), SagaID.make())
            _ = try await desk.send(reserve(1, of: tier), of: held)
            _ = try await desk.send(reserve(2, of: tier), of: sold)
            _ = try await desk.send(ConfirmSeats(userId: "ada"), of: sold)
            for _ in 1...2 {
                for saga in [held, sold] {
                    #expect(try await desk.send(ReleaseSeats(reason: "x"), of: saga).reply(SeatsReleased.self) != nil)
                }
                #expect(try await desk.counts(of: tier) == .init(capacity: 3, voidTickets: 2))
            }
            #expect(try await desk.number("SELECT count(*) FROM seat WHERE status = 'free'") == 3)
            #expect(try await desk.send(ConfirmSeats(userId: "ada"), of: sold).refusal() == .noHold)
            #expect(try await desk.send(reserve(3, of: tier), of: .make()).seats() == ["A-1", "A-2", "A-3"])
        }
    }

    @Test func `a confirm without a hold is refused`() async throws {
        try await withDesk { desk in
            let outcome = try await desk.send(ConfirmSeats(userId: "ada"), of: .make())
            #expect(try outcome.reply(SeatsRefused.self) == SeatsRefused(command: .confirm, reason: .noHold))
        }
    }

    @Test func `an unknown tier is waited for three times and then refused`() async throws {
        try await withDesk { desk in
            let (command, saga) = (reserve(of: TierID(event: .make(), name: "floor")), SagaID.make())
            for attempt in 1...3 {
                guard case .retry(let pause, _) = try await desk.send(command, of: saga, attempt: attempt) else {
                    Issue.record("attempt \(attempt) was not a retry")
                    return
                }
                #expect(pause == .seconds(1))
            }
            #expect(try await desk.send(command, of: saga, attempt: 4).refusal() == .unknownTier)
            #expect(try await desk.number("SELECT count(*) FROM hold") == 0)
        }
    }

    @Test func `what cannot be read is deadLettered alone`() async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(5)
            var malformed = try envelope(reserve(of: tier), of: .make())
            malformed.body = Data("{}".utf8)
            var foreign = malformed
            foreign.id = .make()
            foreign.kind = .charge
            let outcomes = try await desk.send([malformed, try envelope(reserve(of: tier), of: .make()), foreign])
            guard case .deadLetter(let first, _) = outcomes[0], case .deadLetter(let last, _) = outcomes[2] else {
                Issue.record("not buried")
                return
            }
            #expect(first.hasPrefix("malformed-body: ") && last.hasPrefix("unexpected-kind: "))
            #expect(try outcomes[1].seats() == [])
        }
    }
}
