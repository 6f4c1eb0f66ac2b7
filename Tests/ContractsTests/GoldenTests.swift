import Contracts
import Foundation
import Testing
import WireJSON

/// The samples in `Contracts/Golden` are what is on the wire.
@Suite struct `A golden sample` {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Contracts/Golden")

    private static let types: [any Message.Type] = [
        StartPurchase.self, CancelPurchase.self, PublishEvent.self, PurchaseAccepted.self, PurchaseRejected.self,
        ReserveSeats.self, ConfirmSeats.self, ReleaseSeats.self, StockEvent.self, ChargePayment.self,
        ClosePayment.self, RefundPayment.self, ScheduleTimer.self, CancelTimer.self, SendNotification.self,
        ObserveInterest.self, SeatsReserved.self, SeatsRefused.self, SeatsConfirmed.self, SeatsReleased.self,
        PaymentCaptured.self, PaymentDeclined.self, PaymentClosed.self, PaymentRefunded.self, TimerElapsed.self,
        NotificationDelivered.self, NotificationFailed.self, PurchaseStarted.self, PurchaseCompleted.self,
        PurchaseRefused.self, PurchaseRefunded.self, EventPublished.self, TicketIssued.self,
    ]

    @Test(arguments: MessageKind.allCases)
    func `comes out of Swift as it went in`(kind: MessageKind) throws {
        let type = try #require(Self.types.first { $0.kind == kind })
        let sample = try Data(contentsOf: Self.folder.appending(path: "\(kind.rawValue).json"))
        try Self.expectRoundTrip(type, sample)
    }

    private static func expectRoundTrip<Payload: Message>(_ type: Payload.Type, _ sample: Data) throws {
        let payload = try WireFormat.decode(type, from: sample)
        let written = try WireFormat.encode(payload)
        #expect(
            try JSONSerialization.jsonObject(with: written) as? NSDictionary
                == JSONSerialization.jsonObject(with: sample) as? NSDictionary)
        #expect(try WireFormat.decode(type, from: written) == payload)
        #expect(written.count <= Limits.messageBytes)
    }

    @Test func `exists for every kind and for nothing else`() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(files) == Set(MessageKind.allCases.map { "\($0.rawValue).json" }))
    }
}
