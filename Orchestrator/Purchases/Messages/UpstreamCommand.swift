import Contracts

/// A command of an upstream system, read from its message.
enum UpstreamCommand: Sendable {
    case start(StartAsk)
    case cancel(CancelRequest)
    case publish(PublishEvent)
    /// What no upstream system may send.
    case foreign
    /// It makes no sense, for this reason.
    case unusable(Problem)

    var start: StartAsk? { if case .start(let ask) = self { ask } else { nil } }
    var cancel: CancelRequest? { if case .cancel(let request) = self { request } else { nil } }

    static func read(_ envelope: Envelope) -> UpstreamCommand {
        do throws(Problem) {
            return switch envelope.kind {
            case .purchaseStart: .start(try ask(envelope))
            case .purchaseCancel: .cancel(try CancelRequest(envelope))
            case .eventPublish:
                .publish(try StrictBody.read(PublishEvent.self, from: envelope.body, fields: PublishEvent.fields))
            default: .foreign
            }
        } catch {
            return .unusable(error)
        }
    }

    private static func ask(_ envelope: Envelope) throws(Problem) -> StartAsk {
        StartAsk(
            wish: try StrictBody.read(StartPurchase.self, from: envelope.body, fields: StartPurchase.fields),
            key: envelope.key, messageID: envelope.id, replyTo: envelope.replyTo,
            correlationID: envelope.correlationID, traceparent: envelope.traceparent)
    }
}

/// Commands of a batch that may be decided kind by kind: in no group does the order of two kinds matter.
///
/// It matters for commands of different kinds under one id, which belongs to the first of them, and for purchases of an
/// event that is published in the same batch.
struct CommandGroups: Sequence {
    private let commands: [UpstreamCommand]
    private let envelopes: [Envelope]

    init(_ commands: [UpstreamCommand], of envelopes: [Envelope]) {
        self.commands = commands
        self.envelopes = envelopes
    }

    func makeIterator() -> IndexingIterator<[Range<Int>]> {
        var groups: [Range<Int>] = []
        var begin = commands.startIndex
        var kinds: [ExactText: MessageKind] = [:]
        var publishes = false
        for index in commands.indices {
            let kind = envelopes[index].kind
            let id = ExactText(envelopes[index].key)
            if kinds[id, default: kind] != kind || (publishes && kind == .purchaseStart) {
                groups.append(begin..<index)
                (begin, kinds, publishes) = (index, [:], false)
            }
            kinds[id] = kind
            publishes = publishes || kind == .eventPublish
        }
        if begin < commands.endIndex { groups.append(begin..<commands.endIndex) }
        return groups.makeIterator()
    }
}
