"""Fulfillment owns shipments, recalls, carriers, rates and tracking.

Its invariants: what is released is never more than what the order was ever allocated, each unit is in one shipment at most and,
once packed, in one package, a shipment passes through its states in order and never back and is delivered with the last of its
packages, packages on the road carry a unique tracking number, and an order that was cancelled here gets no further shipment. Units
that are not picked can be asked back, by one recall of an order at a time, which is answered once: by word, or by going on with the
shipment. It refuses to pick, pack or ship out of turn, to pick or pack less or more than a shipment holds, to ask back what is
picked, and to hand a parcel to a carrier that has no rate for it.
"""
