// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockRecord} from "./BlockRecord.sol";
import {BlockTree} from "./BlockTree.sol";
import {CompactSignature} from "./CompactSignature.sol";
import {DisputeRecord} from "./DisputeRecord.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Hashing} from "./Hashing.sol";
import {Head} from "./Head.sol";
import {ILifeboatTypes} from "./ILifeboatTypes.sol";
import {LifeboatStorage} from "./LifeboatStorage.sol";

/// @title What the root contract and its modules share: periods, proofs of inclusion, judgements about an exit, payments
abstract contract LifeboatBase is LifeboatStorage, ILifeboatTypes {
    using BlockRecord for uint256;
    using DisputeRecord for uint256;
    using ExitRecord for uint256;
    using Head for uint256;

    /// @dev Spec section 8: gas that a bond is sized by. Worst shape of a challenge twice, one turn, what is burnt.
    uint256 internal constant CHALLENGE_GAS = 280_000;
    uint256 internal constant BOUNTY_GAS = 60_000;
    uint256 internal constant BOND_GAS = 400_000;

    /// @dev Gas given to a receiver of ETH. Enough for a contract wallet's bookkeeping, little enough to be covered by the bounty.
    uint256 internal constant PUSH_GAS = 20_000;
    /// @dev Below this the loop stops before a turn, so that a caller cannot make a push fail by bringing too little gas.
    uint256 internal constant TURN_GAS = 150_000;

    /// @dev For how many exit periods a verdict waits for disputes about what made its inputs.
    uint256 internal constant MAKER_PERIODS = 2;

    /// @dev `seq` of an opened entry of a mass exit is this and its index: no turn of the queue gets there.
    uint40 internal constant OPENED_SEQ = 1 << 39;

    address internal constant ETH = address(0);
    uint256 internal constant DEPOSIT_INDEX = 1 << 20;

    /// @dev The root contract's own, and the chain it was computed on: after a fork of L1 it is computed anew.
    bytes32 private immutable DOMAIN_SEPARATOR = Hashing.domainSeparator();
    uint256 private immutable DOMAIN_CHAIN = block.chainid;
    address private immutable DOMAIN_ADDRESS = address(this);

    uint40 internal immutable MIN_EXIT_PERIOD;
    /// @dev DC + DR: a block older than this could have been forced into the open.
    uint40 internal immutable REVEAL_PERIOD;

    constructor(Parameters memory p) {
        MIN_EXIT_PERIOD = p.minExitPeriod;
        REVEAL_PERIOD = p.dataChallengePeriod + p.dataResponsePeriod;
    }

    /// @dev In a module `address(this)` is the root contract, not the address that the constructor saw.
    function _domainSeparator() internal view returns (bytes32) {
        if (block.chainid == DOMAIN_CHAIN && address(this) == DOMAIN_ADDRESS) return DOMAIN_SEPARATOR;
        return Hashing.domainSeparator();
    }

    function _blockOf(uint64 position) internal pure returns (uint256) {
        return position >> 25;
    }

    function _indexOf(uint64 position) internal pure returns (uint256) {
        return (position >> 4) & 0x1fffff;
    }

    function _isDeposit(uint64 position) internal pure returns (bool) {
        return _indexOf(position) >= DEPOSIT_INDEX;
    }

    /// @dev All 0 while the chain is live.
    function _haltOf(uint256 h) internal pure returns (Halt memory halt) {
        if (h.isHalted()) halt = Halt(uint32(h.voidFrom()), uint40(h.lastMove()));
    }

    function _requireLive(uint256 h) internal pure {
        if (h.isHalted()) revert ChainHalted(h.voidFrom());
    }

    /// @dev Spec 5.1: void are the outputs of void blocks; deposits never.
    function _isVoid(uint64 position, uint256 voidFrom) internal pure returns (bool) {
        return voidFrom != 0 && !_isDeposit(position) && _blockOf(position) >= voidFrom;
    }

    /// @dev Payable when now is greater than this (S5): a move of the halt postpones all that is not yet paid, in its place.
    function _payableAfter(uint256 exitableAt, uint256 lastMove) internal view returns (uint256) {
        if (lastMove == 0) return exitableAt;
        uint256 restarted = lastMove + MIN_EXIT_PERIOD;
        return restarted > exitableAt ? restarted : exitableAt;
    }

    /// @dev A V1..V6 proof against the transaction at this position (its output 0) was accepted.
    function _isInvalid(uint64 transactionPosition) internal view returns (bool) {
        return _blocks[_blockOf(transactionPosition)].hasInvalid() && _invalid[transactionPosition];
    }

    function _isHeaderOf(uint256 blockNumber, Header calldata header) internal view returns (bool) {
        return header.timestamp != 0 && _blocks[blockNumber].isOfHeader(Hashing.header(header));
    }

    /// @dev The header is the block's, and the transaction with these witnesses stands at the position's index.
    /// @return record The block's record.
    function _requireIncluded(uint64 position, bytes32 txHash, bytes32 witnessesHash, Inclusion calldata proof)
        internal
        view
        returns (uint256 record)
    {
        Header calldata header = proof.header;
        record = _blocks[_blockOf(position)];
        if (header.timestamp == 0 || !record.isOfHeader(Hashing.header(header))) {
            revert HeaderMismatch(_blockOf(position));
        }
        bool included = BlockTree.isIncluded(
            Hashing.leaf(txHash, witnessesHash), _indexOf(position), header.txCount, header.root, proof.path
        );
        if (!included) revert NotIncluded(position);
    }

    /// @dev A block that nothing can void any more: what its evidence removed stays removed (S6).
    function _isFinal(uint256 timestamp) internal view returns (bool) {
        return block.timestamp > timestamp + MIN_EXIT_PERIOD;
    }

    /// @dev The exit's record, which must be of exactly this exit.
    function _requireRecord(Exit calldata exit) internal view returns (uint256 record) {
        record = _exits[exit.outputId];
        if (!record.matches(Hashing.exitOf(exit))) revert ExitMismatch(exit.outputId);
    }

    /// @param record The exit's record: its hash is in the id, so that a piece never outlives its exit.
    /// @param place The position that the spend names.
    function _evidenceId(uint256 record, uint64 spend, uint64 place) internal pure returns (bytes32) {
        return keccak256(abi.encode(record.hashOf(), spend, place));
    }

    /// @dev Spec 5.1, 5.2: counts for nothing any more.
    function _isFallen(uint64 transactionPosition, uint256 voidFrom) internal view returns (bool) {
        return _isVoid(transactionPosition, voidFrom) || _isInvalid(transactionPosition);
    }

    /// @dev Waits for a verdict: about a transaction that spends the output, or about the one that makes it.
    function _isSuspended(Exit calldata exit, uint256 record) internal view returns (bool) {
        return record.isSuspended() || (exit.disputed != 0 && _verdictOf(exit.disputed) == Verdict.Running);
    }

    function _verdictOf(bytes32 txHash) internal view returns (Verdict) {
        return _disputes[txHash].record.verdict();
    }

    /// @dev Pushes ETH with capped gas and without return data, else credits it: no receiver can stop or exhaust the caller.
    function _payEth(address account, uint256 amount) internal {
        if (amount == 0) return;
        bool sent;
        // Assembly: a Solidity call copies whatever the receiver returns, at our cost.
        assembly ("memory-safe") {
            sent := call(PUSH_GAS, account, amount, 0, 0, 0, 0)
        }
        if (!sent) _credit(ETH, account, amount);
    }

    function _credit(address token, address account, uint256 amount) internal {
        if (amount == 0) return;
        _credits[token][account] += amount;
        emit Credited(token, account, amount);
    }

    /// @dev Pays an exit and gives back what is left of its bond. The caller has already changed the state.
    function _payExit(Exit calldata exit, uint256 amount, uint256 bond) internal {
        emit ExitPaid(exit.outputId, uint128(amount));
        if (exit.token != ETH) {
            _credit(exit.token, exit.owner, amount);
            _credit(ETH, exit.payer, bond);
        } else if (exit.payer == exit.owner) {
            _payEth(exit.owner, amount + bond);
        } else {
            _payEth(exit.owner, amount);
            _credit(ETH, exit.payer, bond);
        }
    }

    /// @dev What the payer gets back when the exit leaves: nothing once a challenger was paid, else all but the bounty.
    function _bondLeft(Exit calldata exit, uint256 record) internal pure returns (uint256) {
        return record.isRewarded() ? 0 : exit.bond - _bountyOf(exit.bond);
    }

    function _bountyOf(uint256 bond) internal pure returns (uint256) {
        return bond * BOUNTY_GAS / BOND_GAS;
    }

    /// @dev `owed` is false when nobody will ever be owed this exit; `reason` says why.
    /// @param spend A piece of evidence on file that may remove the exit, 0 for none; `evidenceBlock` its block's header, if the caller has it.
    function _judge(Exit calldata exit, uint256 voidFrom, uint64 spend, Header calldata evidenceBlock)
        internal
        view
        returns (bool owed, Removal reason)
    {
        if (_isVoid(exit.position, voidFrom)) return (false, Removal.Void);
        if (_isLost(exit, voidFrom)) return (false, Removal.Invalid);
        if (exit.disputed != 0 && _verdictOf(exit.disputed) == Verdict.NotCanonical) return (false, Removal.NotCanonical);
        bool final_ = spend != 0 && !_isFallen(spend, voidFrom)
            && _isHeaderOf(_blockOf(spend), evidenceBlock) && _isFinal(evidenceBlock.timestamp);
        return (!final_, Removal.Spent);
    }

    /// @dev The transaction that made the output is void or proven invalid.
    function _isLost(Exit calldata exit, uint256 voidFrom) internal view returns (bool) {
        if (_isDeposit(exit.position)) return false;
        return _isVoid(exit.position, voidFrom) || _isInvalid(exit.position & ~uint64(15));
    }

    /// @dev Leaves the queue or the line unpaid. An output whose inclusion turned out void or invalid may start again by another one (a copy
    /// of a transaction in a bad block must not bar the true one); its lock stays. What evidence or a verdict removed is gone for good;
    /// what a verdict passed on is settled.
    function _remove(Exit calldata exit, uint256 record, Removal reason) internal {
        if (record.state() == ExitState.Cancelled) {
            // At its turn: the heirs may still have a share of a mass exit (Shares.sol). Its bond comes back now.
            _exits[exit.outputId] = record.withReward();
        } else if (record.state() == ExitState.CancelledTicket) {
            _exits[exit.outputId] = record.withState(ExitState.Settled);
        } else if (reason == Removal.Void || reason == Removal.Invalid) {
            _exits[exit.outputId] = ExitRecord.fallen(exit.lockedAt, record);
            if (record.hasMore()) delete _moreEvidence[exit.outputId];
        } else {
            _exits[exit.outputId] = record.withState(ExitState.Removed);
        }
        _credit(ETH, exit.payer, _bondLeft(exit, record));
        emit ExitRemoved(exit.outputId, reason);
    }

    /// @dev A header of zeros, which no block has.
    function _noHeader() internal pure returns (Header calldata header) {
        assembly ("memory-safe") {
            header := calldatasize()
        }
    }
}
