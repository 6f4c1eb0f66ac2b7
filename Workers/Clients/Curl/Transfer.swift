import CCurl
import Connections
import FoundationEssentials

/// One request and what has come of it so far; the connection's thread alone touches it.
final class Transfer {
    /// What a caller waits for; the end of the transfer answers each.
    enum Wish { case head, chunk, end }

    /// What becomes of bytes that have arrived.
    enum Taking { case taken, refused, later }

    /// How many bytes of a streamed body wait for their reader before the connection does.
    private static let chunkLimit = 64 << 10

    let id: UInt64
    let request: CurlRequest
    let url: URLHandle
    /// Whether the body goes to a reader bit by bit.
    let isStreamed: Bool
    let addresses: AddressRule
    let deadline: ContinuousClock.Instant
    /// There while it runs.
    var easy: EasyHandle?
    /// Whether it is one of those that run now.
    var hasPlace = false
    /// Nil until the final answer's head is complete.
    private(set) var head: CurlHead?
    /// Nil until it has ended; set once.
    private(set) var outcome: Result<Void, CurlError>?
    private(set) var isPaused = false
    private var parser: HeadParser
    private var body = Data()
    private var received = 0
    private var attempts = 0
    private var lastSign: ContinuousClock.Instant?
    private var refusedAddress: IPAddress?
    /// Why this side ended it.
    private var verdict: TransferFailure?
    private var waiter: (wish: Wish, continuation: CheckedContinuation<Void, Never>)?

    /// - Throws: `invalidRequest` for one that cannot be sent as it stands.
    init(
        _ request: CurlRequest, id: UInt64, until deadline: ContinuousClock.Instant, isStreamed: Bool,
        to addresses: AddressRule
    ) throws(TransferFailure) {
        try request.check()
        url = try URLHandle.parse(request.url)
        parser = HeadParser(limit: request.headLimit)
        self.id = id
        self.request = request
        self.isStreamed = isStreamed
        self.addresses = addresses
        self.deadline = deadline
    }

    /// When it has taken too long, unless something happens earlier.
    var limit: ContinuousClock.Instant {
        guard let silence = request.silence, let lastSign, !isPaused else { return deadline }
        return min(deadline, lastSign + silence.bounded)
    }

    /// When its limit is to be looked at again: no limit that is set until then comes earlier.
    var nextLook: ContinuousClock.Instant {
        guard let silence = request.silence, !isPaused else { return deadline }
        return min(deadline, (lastSign ?? .now) + silence.bounded)
    }

    /// Notes how it went, and wakes who waits.
    func end(_ result: Result<Void, TransferFailure>) {
        guard outcome == nil else { return }
        outcome = result.mapError { error($0) }
        wake()
    }

    /// The same failure as the caller is told of it.
    func error(_ failure: TransferFailure) -> CurlError {
        CurlError(
            failure.code, during: "\(request.method) \(url.origin)", failure.words, mayHaveBeenSent: attempts > 0)
    }

    /// In words, what it waits for in vain.
    var whatIsOverdue: String {
        if deadline > .now { return "nothing came for too long" }
        if attempts > 0 { return "the answer is not complete" }
        return hasPlace ? "there is no connection yet" : "it was not its turn yet"
    }

    /// The whole body, or what has come since the last time.
    func takeBody() -> Data {
        defer { body = Data() }
        return body
    }

    /// Notes that the reader has room again.
    func resume() {
        isPaused = false
        lastSign = .now
    }
}

/// What libcurl reports.
extension Transfer {
    /// A connection to this address is wanted.
    func mayConnect(to address: IPAddress?) -> Bool {
        if let address, addresses.admits(address), request.address ?? address == address { return true }
        refusedAddress = address
        return false
    }

    /// A connection is there and the request is sent now, for the first time or again.
    func mayBegin() -> Bool {
        attempts += 1
        lastSign = .now
        guard attempts == 1 || request.mayRepeat else {
            verdict = TransferFailure(.connectionReset, "a kept connection ended without a byte of an answer")
            return false
        }
        return true
    }

    /// A line of the head has arrived; answers whether it is taken.
    func takeHead(_ line: [UInt8]) -> Bool {
        lastSign = .now
        switch parser.take(line) {
        case .goesOn: return true
        case .complete:
            let (version, isReused) = easy?.connection ?? (.http1, false)
            head = CurlHead(status: parser.status, headers: parser.headers, version: version, isReused: isReused)
            wakeIfServed()
            return true
        case .tooLarge:
            verdict = TransferFailure(.tooLarge, "the head is larger than \(request.headLimit) bytes")
        case .unreadable:
            verdict = TransferFailure(.protocolViolation, "the head is none of HTTP")
        }
        return false
    }

    /// A part of the body has arrived.
    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Taking {
        lastSign = .now
        guard bytes.count <= request.bodyLimit - received else {
            verdict = TransferFailure(.tooLarge, "the body is larger than \(request.bodyLimit) bytes")
            return .refused
        }
        if isStreamed, !body.isEmpty, body.count + bytes.count > Self.chunkLimit {
            isPaused = true
            return .later
        }
        received += bytes.count
        unsafe body.append(contentsOf: bytes)
        wakeIfServed()
        return .taken
    }

    /// The transfer is over for libcurl.
    func result(_ code: CURLcode) -> Result<Void, TransferFailure> {
        if code == CURLE_OK {
            guard head == nil else { return .success(()) }
            return .failure(TransferFailure(.connectionReset, "the connection ended within the head"))
        }
        if let verdict { return .failure(verdict) }
        if code == CURLE_COULDNT_CONNECT, let refusedAddress {
            return .failure(TransferFailure(.addressRefused, "no connection to \(refusedAddress) is allowed"))
        }
        // libcurl has no memory for a single line of more than 100 KiB.
        if code == CURLE_OUT_OF_MEMORY, attempts > 0, head == nil {
            return .failure(TransferFailure(.tooLarge, "a line of the head is too long"))
        }
        // libcurl tells the host and how long it took, and not why.
        if code == CURLE_COULDNT_CONNECT, let number = easy?.systemError, number != 0 {
            return .failure(TransferFailure(.couldNotConnect, systemWords(Int32(truncatingIfNeeded: number))))
        }
        let words = easy?.lastWords(code) ?? "\(code.rawValue)"
        // libcurl calls chunks that are none an error of receiving, too; without TLS it tells the system's number of those.
        if code == CURLE_RECV_ERROR, url.scheme == "http", easy?.systemError == 0 {
            return .failure(TransferFailure(.protocolViolation, words))
        }
        return .failure(TransferFailure(.init(code), words))
    }
}

/// Who waits for it.
extension Transfer {
    func satisfies(_ wish: Wish) -> Bool {
        switch wish {
        case .head: head != nil || outcome != nil
        case .chunk: !body.isEmpty || outcome != nil
        case .end: outcome != nil
        }
    }

    /// Resumes the continuation once the wish is satisfied, or whenever the transfer is woken.
    func wait(for wish: Wish, _ continuation: CheckedContinuation<Void, Never>) {
        wake()
        waiter = (wish, continuation)
    }

    func wake() {
        waiter?.continuation.resume()
        waiter = nil
    }

    private func wakeIfServed() {
        if let waiter, satisfies(waiter.wish) { wake() }
    }
}

extension Duration {
    /// At most 24 days, which a clock can add and libcurl can count in milliseconds.
    var bounded: Duration { min(self, .seconds(24 * 86_400)) }
}
