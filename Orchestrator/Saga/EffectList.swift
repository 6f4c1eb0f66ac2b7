/// A journal line's effects as one text, their names in order.
package enum EffectList {
    struct UnknownEffect: Error {
        let name: String
    }

    package static func text(_ effects: [some SagaEffect]) -> String {
        effects.map(\.name).joined(separator: " ")
    }

    package static func read<Effect: SagaEffect>(_ text: String) throws -> [Effect] {
        try text.split(separator: " ").map { name in
            guard let effect = Effect(name: String(name)) else { throw UnknownEffect(name: String(name)) }
            return effect
        }
    }
}
