import Contracts
import FleetRuntime
import Foundation
@testable import Notification
import TestKit
import Testing

@Suite(.enabled(if: ProcessInfo.processInfo.environment["LAGPROBE"] != nil), .serialized)
struct SpeedProbe {
    @Test func speed() async throws {
        try await withTestDatabase([(.notification, NotificationService.migrations)]) { database in
            let sink = ConsoleSink(writingTo: try #require(FileHandle(forWritingAtPath: "/dev/null")))
            let handler = TwoTransactions(
                NotificationWorker(store: PostgresNotifications(), desk: DeliveryDesk(sink: sink)),
                ledger: PostgresLedger(database.connection(as: .notification)))
            let batches = try (0..<40).map { _ in try (0..<500).map { _ in try Envelope.send(for: .make()) } }
            _ = try await handler.handle(batches[0])
            var t = ContinuousClock.now
            for batch in batches.dropFirst() { _ = try await handler.handle(batch) }
            print("19,500 letters in batches of 500:", ContinuousClock.now - t)
            let singles = try (0..<500).map { _ in try Envelope.send(for: .make()) }
            t = ContinuousClock.now
            for one in singles { _ = try await handler.handle([one]) }
            print("500 letters one by one:", ContinuousClock.now - t)
            let desk = DeliveryDesk(sink: sink)
            let letters = (0..<20_000).map { _ in Letter.sample() }
            t = ContinuousClock.now
            for start in stride(from: 0, to: 20_000, by: 500) { _ = await desk.deliver(Array(letters[start..<start + 500])) }
            print("20,000 letters through the desk alone:", ContinuousClock.now - t)
        }
    }
}
