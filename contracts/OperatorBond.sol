// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Hashing} from "./Hashing.sol";
import {ILifeboat} from "./ILifeboat.sol";
import {ILifeboatTypes} from "./ILifeboatTypes.sol";
import {ISurety} from "./ISurety.sol";

/// @title The operator's bond: posted, slashed, taken back
/// @dev Spec section 8.7. A slash takes half of what is left, so that a later and graver report still finds something; a quarter of it goes to
/// the reporter, the rest is burnt, so that an operator who reports itself saves little.
abstract contract OperatorBond is ISurety, ReentrancyGuardTransient {
    struct Book {
        uint128 bond;
        uint32 slashedFrom;
    }

    /// @dev As the root contract's pushes.
    uint256 private constant PUSH_GAS = 20_000;

    ILifeboat internal immutable ROOT;
    bytes32 private immutable SEPARATOR;
    uint256 private immutable SEPARATOR_CHAIN = block.chainid;
    uint256 private immutable MIN_BOND;
    uint256 internal immutable MIN_EXIT_PERIOD;

    Book internal _book;
    mapping(uint256 position => bool) private _slashedAt;
    mapping(address account => uint256 amount) private _credits;

    constructor(ILifeboatTypes.Parameters memory p) payable {
        ROOT = ILifeboat(msg.sender);
        SEPARATOR = Hashing.domainSeparatorOf(msg.sender);
        MIN_BOND = uint256(p.operatorBondGwei) * 1 gwei;
        MIN_EXIT_PERIOD = p.minExitPeriod;
        _book.bond = uint128(msg.value);
        if (msg.value != 0) emit BondPosted(msg.sender, msg.value, msg.value);
    }

    function postBond() external payable nonReentrant {
        uint256 bond = _book.bond + msg.value;
        _book.bond = uint128(bond);
        emit BondPosted(msg.sender, msg.value, bond);
        if (bond >= MIN_BOND) ROOT.setBonded(true);
    }

    function takeBond() external nonReentrant returns (uint256 amount) {
        address operator = ROOT.operator();
        if (msg.sender != operator) revert NotOperator(msg.sender, operator);
        (uint32 voidFrom,, uint40 newestTime,,,, uint40 lastMove) = ROOT.head();
        if (voidFrom == 0) revert BondKept("live");
        // Every challenge of data has ended or come to nothing by then, and every receipt's anchor is forgotten or nearly so.
        uint256 after_ = newestTime + 2 * MIN_EXIT_PERIOD;
        if (block.timestamp <= after_) revert TooEarly(block.timestamp, after_);
        if (_isUnslashed(voidFrom, lastMove)) revert BondKept("slash is due");
        amount = _book.bond;
        if (amount == 0) revert NothingToDo();
        _book.bond = 0;
        emit BondTaken(operator, amount);
        _pay(operator, amount);
    }

    function reportFraud(bytes calldata proof) external nonReentrant {
        bytes4 call = bytes4(proof);
        if (
            call != ILifeboat.proveMalformed.selector && call != ILifeboat.proveInputMissing.selector
                && call != ILifeboat.proveDoubleSpend.selector && call != ILifeboat.proveForged.selector
                && call != ILifeboat.proveUnbalanced.selector && call != ILifeboat.proveLocked.selector
                && call != ILifeboat.proveLockedInBatch.selector
        ) revert CallRefused(call);
        (bool ok, bytes memory reply) = address(ROOT).call(proof);
        if (!ok) {
            // Assembly: hands the root contract's reason through as it is.
            assembly ("memory-safe") {
                revert(add(reply, 32), mload(reply))
            }
        }
        // A proof that came too late to halt has left a record. The offence is the first argument, its position the first field.
        if (!_slashHalt(msg.sender)) _slashInvalid(uint64(_word(proof, 4 + _word(proof, 4))));
    }

    function slashForHalt() external nonReentrant {
        if (!_slashHalt(msg.sender)) revert NothingToDo();
    }

    function slashForInvalid(uint64 transactionPosition) external nonReentrant {
        _slashInvalid(transactionPosition);
    }

    function withdrawCredit(address account) external nonReentrant returns (uint256 amount) {
        amount = _credits[account];
        if (amount == 0) revert NothingToDo();
        delete _credits[account];
        (bool sent,) = account.call{value: amount}("");
        if (!sent) revert TransferFailed(account);
    }

    function surety() external view returns (uint128, uint128, uint32) {
        return (_book.bond, uint128(MIN_BOND), _book.slashedFrom);
    }

    function suretyCredit(address account) external view returns (uint256) {
        return _credits[account];
    }

    /// @dev The root contract's domain, as it computes it.
    function _domainSeparator() internal view returns (bytes32) {
        return block.chainid == SEPARATOR_CHAIN ? SEPARATOR : Hashing.domainSeparatorOf(address(ROOT));
    }

    /// @return slashed False if no halt has voided blocks since the last slash for one.
    function _slashHalt(address reporter) internal returns (bool slashed) {
        (uint32 voidFrom,,,,,, uint40 lastMove) = ROOT.head();
        slashed = _isUnslashed(voidFrom, lastMove);
        if (!slashed) return false;
        _book.slashedFrom = voidFrom;
        _slash(reporter);
    }

    function _isUnslashed(uint256 voidFrom, uint256 lastMove) private view returns (bool) {
        uint256 slashedFrom = _book.slashedFrom;
        return lastMove != 0 && (slashedFrom == 0 || voidFrom < slashedFrom);
    }

    function _slashInvalid(uint64 position) private {
        if (_slashedAt[position] || !ROOT.isInvalid(position)) revert NothingToDo();
        _slashedAt[position] = true;
        _slash(msg.sender);
    }

    function _word(bytes calldata data, uint256 offset) private pure returns (uint256) {
        return uint256(bytes32(data[offset:offset + 32]));
    }

    function _slash(address reporter) internal {
        uint256 bond = _book.bond;
        uint256 taken = bond / 2;
        bond -= taken;
        _book.bond = uint128(bond);
        emit BondSlashed(reporter, taken, bond);
        if (bond < MIN_BOND) ROOT.setBonded(false);
        _pay(reporter, taken / 4);
    }

    /// @dev Effects come before; a receiver that refuses finds it as a credit.
    function _pay(address account, uint256 amount) internal {
        if (amount == 0) return;
        bool sent;
        // Assembly: a Solidity call copies whatever the receiver returns, at our cost.
        assembly ("memory-safe") {
            sent := call(PUSH_GAS, account, amount, 0, 0, 0, 0)
        }
        if (sent) return;
        _credits[account] += amount;
        emit SuretyCredited(account, amount);
    }
}
