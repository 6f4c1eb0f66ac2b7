import Testing

@testable import RabbitMQ

@Suite struct `Delivery ledger` {
    private func ledger(taking count: UInt64) -> DeliveryLedger {
        var ledger = DeliveryLedger()
        ledger.beginEpoch()
        for tag in 0..<count { ledger.take(tag + 1) }
        return ledger
    }

    @Test func `an acknowledgement covers all that was taken before it, once`() throws {
        var ledger = ledger(taking: 5)
        #expect(ledger.isAnythingTaken)
        #expect(try ledger.settle(through: ledger.opaque(3)) == 3)
        #expect(try ledger.settle(through: ledger.opaque(3)) == nil)
        #expect(try ledger.settle(through: ledger.opaque(2)) == nil)
        #expect(try ledger.settle(through: ledger.opaque(5)) == 5)
        #expect(!ledger.isAnythingTaken)
    }

    @Test func `an acknowledgement never names a rejected delivery`() throws {
        var ledger = ledger(taking: 5)
        #expect(try ledger.settle(ledger.opaque(4)) == 4)
        #expect(try ledger.settle(ledger.opaque(5)) == 5)
        #expect(try ledger.settle(ledger.opaque(5)) == nil)
        #expect(try ledger.settle(through: ledger.opaque(5)) == 3)
        #expect(try ledger.settle(ledger.opaque(2)) == nil)
        #expect(!ledger.isAnythingTaken)
    }

    @Test func `when all were rejected there is nothing to acknowledge`() throws {
        var ledger = ledger(taking: 3)
        for tag in [2, 1, 3] as [UInt64] { #expect(try ledger.settle(ledger.opaque(tag)) == tag) }
        #expect(!ledger.isAnythingTaken)
        #expect(try ledger.settle(through: ledger.opaque(3)) == nil)
    }

    @Test func `a tag from an earlier channel is refused as lost`() throws {
        var ledger = ledger(taking: 3)
        let old = ledger.opaque(2)
        ledger.beginEpoch()
        ledger.take(1)
        ledger.take(2)
        #expect { try ledger.settle(old) } throws: { ($0 as? BrokerError)?.code == .connectionLost }
        #expect { try ledger.settle(through: old) } throws: { ($0 as? BrokerError)?.code == .connectionLost }
        #expect(try ledger.settle(ledger.opaque(2)) == 2)
    }

    @Test func `a tag that was never taken is refused`() {
        var ledger = ledger(taking: 3)
        let future = ledger.opaque(4)
        #expect { try ledger.settle(through: future) } throws: {
            ($0 as? BrokerError)?.code == .preconditionFailed
        }
    }
}
