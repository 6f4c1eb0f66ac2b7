/// Runs the transfers of one client: starts each when it is its turn, and ends each once.
///
/// The connection's thread alone touches it.
final class TransferScheduler {
    private let configuration: CurlConfiguration
    private let multi: MultiHandle
    private var turns: Turns
    /// Those that wait or run.
    private var transfers: [UInt64: Transfer] = [:]
    /// No limit of any transfer comes earlier.
    private var nextLimit: ContinuousClock.Instant?

    /// - Throws: `failed` when memory or descriptors have run out.
    init(_ configuration: CurlConfiguration) throws(TransferFailure) {
        self.configuration = configuration
        multi = try MultiHandle.open(configuration)
        turns = Turns(configuration)
    }

    deinit {
        endAll(TransferFailure(.closed, "the client is gone"))
    }

    /// Readable when there is something for `act` to do.
    var descriptor: Int32 { multi.descriptor }

    /// When `act` must be called at the latest; nil while there is nothing to wait for.
    var nextMoment: ContinuousClock.Instant? {
        guard let timer = multi.timer else { return nextLimit }
        return min(timer, nextLimit ?? timer)
    }

    /// Takes a transfer up: it begins now, or when it is its turn, or ends because too many wait.
    func admit(_ transfer: Transfer) {
        transfers[transfer.id] = transfer
        lookAgain(at: transfer.nextLook)
        switch turns.ask(for: transfer.id, to: transfer.url.origin) {
        case .begins:
            transfer.hasPlace = true
            begin(transfer)
            beginNext()
        case .waits: break
        case .refused:
            end(transfer, .failure(TransferFailure(.overloaded, "\(configuration.waitingLimit) calls are waiting")))
        }
    }

    /// Reads, writes and ends what is over, without waiting.
    func act() {
        multi.act()
        for (id, code) in multi.finished() {
            guard let transfer = transfers[id] else { continue }
            end(transfer, transfer.result(code))
        }
        if let nextLimit, nextLimit <= .now { endOverdue() }
        beginNext()
    }

    /// Ends a transfer at once, wherever it is; one that has ended stays as it is.
    func abort(_ transfer: Transfer, _ failure: TransferFailure) {
        end(transfer, .failure(failure))
        beginNext()
    }

    /// Ends all of them.
    func endAll(_ failure: TransferFailure) {
        for transfer in transfers.values { end(transfer, .failure(failure)) }
    }

    /// Lets a body go on whose reader had no room.
    func resume(_ transfer: Transfer) {
        guard transfer.isPaused, transfer.easy != nil else { return }
        transfer.resume()
        lookAgain(at: transfer.nextLook)
        transfer.easy?.resume()
    }

    /// Has whoever waits for this transfer look whether their task still wants it.
    func wake(_ id: UInt64) {
        transfers[id]?.wake()
    }

    private func beginNext() {
        while let id = turns.next() {
            guard let transfer = transfers[id] else { continue }
            transfer.hasPlace = true
            begin(transfer)
        }
    }

    private func begin(_ transfer: Transfer) {
        do throws(TransferFailure) {
            let easy = try EasyHandle.open(for: transfer, configuration)
            try multi.add(easy)
            transfer.easy = consume easy
        } catch {
            end(transfer, .failure(error))
        }
    }

    private func end(_ transfer: Transfer, _ result: Result<Void, TransferFailure>) {
        guard transfers.removeValue(forKey: transfer.id) != nil else { return }
        if let easy = transfer.easy.take() { multi.remove(easy) }
        if transfer.hasPlace {
            turns.giveBack(transfer.url.origin)
        } else {
            turns.leave(transfer.id, to: transfer.url.origin)
        }
        transfer.end(result)
    }

    private func endOverdue() {
        nextLimit = nil
        for transfer in transfers.values {
            guard transfer.limit <= .now else {
                lookAgain(at: transfer.nextLook)
                continue
            }
            end(transfer, .failure(TransferFailure(.timedOut, transfer.whatIsOverdue)))
        }
    }

    private func lookAgain(at moment: ContinuousClock.Instant) {
        nextLimit = min(moment, nextLimit ?? moment)
    }
}
