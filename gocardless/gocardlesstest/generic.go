package gocardlesstest

// genericFamily gives every resource that no other family declares its collection, and every
// action that has no handler the least that makes sense: it answers with its target.
func genericFamily(r *registry) {
	r.collection(collectionSpec{name: "webhooks"})
	r.on("webhooks.retry", retryWebhook)
	for i := range operations {
		op := &operations[i]
		if !r.hasCollection(op.resource()) && op.result != nil {
			r.collection(collectionSpec{name: op.resource()})
		}
	}
}

func (sb *Sandbox) notify(*tx, *record, *record) {}
