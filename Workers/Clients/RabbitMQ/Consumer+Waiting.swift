extension Consumer {
    /// Why nothing will arrive any more.
    enum Ending {
        case cancelledByOwner
        case failed(BrokerError)
    }

    /// What a taker waits for: a first message, and until the moment as many as the limit.
    struct Wish {
        let limit: Int
        let moment: ContinuousClock.Instant?
    }

    struct Waiter {
        let wish: Wish
        let continuation: CheckedContinuation<Void, Never>
    }
}
