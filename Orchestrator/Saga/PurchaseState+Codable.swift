/// The stored form is one flat object, `{"state": …, "reason": …, "outstanding": […]}`, that SQL can read too.
extension PurchaseState: Codable {
    private enum Key: String, CodingKey { case state, closing, reason, outstanding }
    private enum Tag: String, Codable {
        case reserving, charging, confirming, closing, unwinding, completed, refused, refunded
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        switch try container.decode(Tag.self, forKey: .state) {
        case .reserving: self = .reserving
        case .charging: self = .charging
        case .confirming: self = .confirming
        case .closing: self = .closing(try container.decode(ClosingReason.self, forKey: .closing))
        case .unwinding:
            self = .unwinding(
                try container.decode(EndReason.self, forKey: .reason),
                outstanding: try container.decode(Set<Compensation>.self, forKey: .outstanding))
        case .completed: self = .completed
        case .refused: self = .refused(try container.decode(EndReason.self, forKey: .reason))
        case .refunded: self = .refunded
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(tag, forKey: .state)
        switch self {
        case .reserving, .charging, .confirming, .completed, .refunded: break
        case .closing(let reason): try container.encode(reason, forKey: .closing)
        case .unwinding(let reason, let outstanding):
            try container.encode(reason, forKey: .reason)
            try container.encode(outstanding.sorted { $0.rawValue < $1.rawValue }, forKey: .outstanding)
        case .refused(let reason): try container.encode(reason, forKey: .reason)
        }
    }
}
