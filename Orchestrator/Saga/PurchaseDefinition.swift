/// A way to buy tickets in the words of a purchase: `PurchaseSaga`, or a variant of it.
package protocol PurchaseDefinition: SagaDefinition
where
    State == PurchaseState, Input == PurchaseInput, Effect == PurchaseEffect, Request == PurchaseRequest,
    Facts == PurchaseFacts
{}

extension PurchaseDefinition {
    package static func request(_ request: PurchaseRequest, answeredAs repeated: PurchaseRequest) -> PurchaseRequest {
        request.answered(in: repeated.replyTo, as: repeated.correlationID)
    }
}
