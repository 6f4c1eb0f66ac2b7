/// Knows which deliveries of the present channel wait for an answer, so that no answer reaches another channel.
///
/// Tags given out carry the epoch, which changes with each channel, in their upper 16 bits. An acknowledgement the
/// broker would take for a mistake, and punish by closing the channel (406), is never asked for.
struct DeliveryLedger {
    private static let epochShift: UInt64 = 48
    /// The highest tag of a channel that leaves room for the epoch; no channel lives to reach it.
    static let highestTag: UInt64 = 1 << epochShift - 1

    private var epoch: UInt64 = 0
    private var highestTaken: UInt64 = 0
    private var settledThrough: UInt64 = 0
    private var settledBeyond: Set<UInt64> = []

    /// Voids all tags given out before.
    mutating func beginEpoch() {
        self = DeliveryLedger(epoch: (epoch + 1) & 0xffff)
    }

    init() {}

    private init(epoch: UInt64) {
        self.epoch = epoch
    }

    /// The tag by which the program knows the delivery.
    func opaque(_ tag: UInt64) -> UInt64 {
        epoch << Self.epochShift | tag
    }

    /// Notes that the delivery with this tag of the channel, and all before it, are in the program's hands; the tag is
    /// at most `highestTag`.
    mutating func take(_ tag: UInt64) {
        highestTaken = max(highestTaken, tag)
    }

    /// Whether the program holds deliveries without an answer.
    var isAnythingTaken: Bool {
        highestTaken - min(highestTaken, settledThrough) > settledBeyond.count
    }

    /// The channel's tag to acknowledge, with all before it, or nil when they have all been answered.
    mutating func settle(through opaque: UInt64) throws(BrokerError) -> UInt64? {
        let tag = try raw(opaque)
        guard tag > settledThrough else { return nil }
        var open = tag
        while open > settledThrough, settledBeyond.contains(open) { open -= 1 }
        let isOpen = open > settledThrough
        settledThrough = tag
        settledBeyond = settledBeyond.filter { $0 > tag }
        return isOpen ? open : nil
    }

    /// The channel's tag to reject, or nil when it has been answered.
    mutating func settle(_ opaque: UInt64) throws(BrokerError) -> UInt64? {
        let tag = try raw(opaque)
        guard tag > settledThrough, settledBeyond.insert(tag).inserted else { return nil }
        while settledBeyond.remove(settledThrough + 1) != nil { settledThrough += 1 }
        return tag
    }

    private func raw(_ opaque: UInt64) throws(BrokerError) -> UInt64 {
        guard opaque >> Self.epochShift == epoch else {
            throw BrokerError(
                .connectionLost, during: "answering a delivery", "it came over an earlier connection")
        }
        let tag = opaque & Self.highestTag
        guard tag <= highestTaken else {
            throw BrokerError(.preconditionFailed, during: "answering a delivery", "it was never taken")
        }
        return tag
    }
}
